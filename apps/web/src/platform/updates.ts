import { createBox } from '@sotto/engine/box';
import type { View } from '@sotto/engine/views';
import { Workbox } from 'workbox-window';
import { SERVICE_WORKER } from './script-url.ts';

export interface UpdateSnapshot {
  /** A newer version is downloaded and waits to be used. */
  ready: boolean;
}

export interface Updates extends View<UpdateSnapshot> {
  /** Uses the new version: the page reloads as soon as that controls it. */
  apply(): void;
}

const CHECK_EVERY_MS = 60 * 60 * 1000;

/** Registers the service worker, so that the app opens without network, and watches for its successor. */
export const watchUpdates = (trust: (url: string) => string): Updates => {
  const state = createBox<UpdateSnapshot>({ ready: false });
  const reload = (): void => location.reload();
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return { ...state, apply: reload };

  const workbox = new Workbox(trust(SERVICE_WORKER));
  workbox.addEventListener('waiting', () => state.set({ ready: true }));
  // Without a service worker the app works as before, only not offline: nothing to tell the person.
  workbox.register({ immediate: true }).catch(() => undefined);

  let checked = Date.now();
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'visible' || Date.now() - checked < CHECK_EVERY_MS) return;
    checked = Date.now();
    workbox.update().catch(() => undefined);
  });

  const apply = async (): Promise<void> => {
    const registration = await navigator.serviceWorker.getRegistration();
    // Another tab may have been faster: then the new version is active already.
    if (!registration?.waiting) return reload();
    navigator.serviceWorker.addEventListener('controllerchange', reload, { once: true });
    registration.waiting.postMessage({ type: 'SKIP_WAITING' });
  };
  return { ...state, apply: () => void apply() };
};
