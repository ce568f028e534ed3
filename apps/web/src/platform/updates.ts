import { createBox } from '@sotto/engine/box';
import type { View } from '@sotto/engine/views';
import { Workbox } from 'workbox-window';
import { noteReplaced } from './replaced.ts';
import { SERVICE_WORKER } from './script-url.ts';

export interface UpdateSnapshot {
  /** A newer version is downloaded and waits to be used. */
  ready: boolean;
  /** It takes over. */
  applying: boolean;
}

export interface Updates extends View<UpdateSnapshot> {
  /** Uses the new version: the page reloads as soon as that controls it, or when that takes too long. */
  apply(): void;
}

const CHECK_EVERY_MS = 60 * 60 * 1000;
/** The old version ends what it has begun first. Without a page it has less to do: then it is the reload that helps. */
const TAKE_OVER_MS = 10_000;

/** Registers the service worker, so that the app opens without network, and watches for its successor. */
export const watchUpdates = (trust: (url: string) => string): Updates => {
  const state = createBox<UpdateSnapshot>({ ready: false, applying: false });
  const reload = (): void => location.reload();
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return { ...state, apply: reload };

  const workbox = new Workbox(trust(SERVICE_WORKER));
  workbox.addEventListener('waiting', () => state.set({ ...state.getSnapshot(), ready: true }));
  let asked = false;
  // Without one, the first that comes takes the page as it is.
  let controlled = navigator.serviceWorker.controller !== null;
  const register = async (): Promise<void> => {
    // A page that was loaded past the service worker is of the version that is active all the same.
    const known = await navigator.serviceWorker.getRegistration();
    if (known?.active) controlled = true;
    await workbox.register({ immediate: true });
  };
  // Without a service worker the app works as before, only not offline: nothing to tell the person.
  register().catch(() => undefined);
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (asked) reload();
    else if (controlled) noteReplaced();
    controlled = true;
  });

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
    asked = true;
    state.set({ ...state.getSnapshot(), applying: true });
    setTimeout(reload, TAKE_OVER_MS);
    registration.waiting.postMessage({ type: 'SKIP_WAITING' });
  };
  return { ...state, apply: () => void apply() };
};
