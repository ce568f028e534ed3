import './jitless.ts';
import { visit, type VisitEnd } from '@sotto/engine/remote/visit';
import { clientsClaim } from 'workbox-core';
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching';
import type { PrecacheEntry } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';

import { openChannel, openEngine } from './platform/open-engine.ts';
import { storeLock } from './platform/store-lock.ts';

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: (PrecacheEntry | string)[] };

/** In ms. Browsers end a worker that keeps an event for much longer. */
const VISIT_MS = 25_000;

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();
registerRoute(
  new NavigationRoute(createHandlerBoundToURL('/index.html'), {
    denylist: [/^\/v1(\/|$)/, /^\/socket\.io\//],
  }),
);

// So that the first visit is enough: the page that installed this is under its control at once.
clientsClaim();

/** Fetches and sends what waits, unless a page is there to do it. A push will do the same. */
const sync = (): Promise<VisitEnd> =>
  visit({ lock: storeLock, channel: openChannel(), openEngine, limit: VISIT_MS });

self.addEventListener('message', (event) => {
  const { type } = (event.data ?? {}) as { type?: unknown };
  // Only when the person says so; until then the old version goes on undisturbed.
  if (type === 'SKIP_WAITING') void self.skipWaiting();
  if (type === 'SOTTO_SYNC') event.waitUntil(sync().then((end) => event.ports[0]?.postMessage(end)));
});

interface SyncEvent extends ExtendableEvent {
  tag: string;
}

// Background Sync: what was written without network leaves when there is one. Rejected, it is tried again later.
self.addEventListener('sync' as keyof ServiceWorkerGlobalScopeEventMap, (event) => {
  if ((event as SyncEvent).tag !== 'sotto-outbox') return;
  const outcome = sync().then((end) => {
    if (end === 'busy' || end === 'late') throw new Error(end);
  });
  (event as SyncEvent).waitUntil(outcome);
});
