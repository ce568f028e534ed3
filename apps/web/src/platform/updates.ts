import type { View } from '@sotto/engine/views';
import { Workbox } from 'workbox-window';
import { box } from './view.ts';

export interface UpdateSnapshot {
  /** A newer version is downloaded and waits to be used. */
  ready: boolean;
}

export interface Updates extends View<UpdateSnapshot> {
  /** Uses the new version: the page reloads as soon as that controls it. */
  apply(): void;
}

const SCRIPT = '/sw.js';
const CHECK_EVERY_MS = 60 * 60 * 1000;

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/** The page's one Trusted Types policy: it lets a single URL through, the service worker's. */
const scriptUrl = (): string => {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy('sotto', {
    createScriptURL: (url) => {
      if (url !== SCRIPT) throw new TypeError('not a script of ours');
      return url;
    },
  });
  return policy?.createScriptURL(SCRIPT) ?? SCRIPT;
};

/** Registers the service worker, so that the app opens without network, and watches for its successor. */
export const watchUpdates = (): Updates => {
  const state = box<UpdateSnapshot>({ ready: false });
  const reload = (): void => location.reload();
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return { ...state, apply: reload };

  const workbox = new Workbox(scriptUrl());
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
