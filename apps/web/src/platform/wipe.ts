import { deleteStore } from '@sotto/store-idb/delete-store';
import { showBadge } from './badge.ts';

/** The app itself, of which nothing is anybody's: without it a page would not open offline. */
const isApp = (cache: string): boolean => cache.startsWith('workbox-precache');

const clear = (storage: () => Storage): void => {
  try {
    storage().clear();
  } catch {
    // Forbidden: then nothing is in there.
  }
};

/** Deletes keys, messages, settings and whatever else this browser has stored of an account. */
export const wipe = async (): Promise<void> => {
  await deleteStore();
  clear(() => localStorage);
  clear(() => sessionStorage);
  showBadge(0);
  const names = (await globalThis.caches?.keys()) ?? [];
  await Promise.all(names.filter((name) => !isApp(name)).map((name) => caches.delete(name)));
  const registration = await navigator.serviceWorker?.getRegistration();
  for (const shown of (await registration?.getNotifications()) ?? []) shown.close();
};
