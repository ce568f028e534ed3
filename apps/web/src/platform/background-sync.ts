/** What the service worker hears when the network is back. */
const TAG = 'sotto-outbox';

interface SyncManager {
  register(tag: string): Promise<void>;
}

/** Asks the browser to wake the service worker when the network is back, where it can: also when no page is open then. */
export const askToSync = async (): Promise<void> => {
  try {
    const registration = await navigator.serviceWorker?.getRegistration();
    await (registration as { sync?: SyncManager } | undefined)?.sync?.register(TAG);
  } catch {
    // Forbidden by the person: what waits leaves when a page is open again.
  }
};
