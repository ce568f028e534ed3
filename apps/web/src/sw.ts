import { clientsClaim } from 'workbox-core';
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching';
import type { PrecacheEntry } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import type { Notice } from './platform/notice.ts';
import { trustScripts } from './platform/script-url.ts';
import type { Sync } from './sw-engine.ts';
// oxlint-disable-next-line import/default -- made by Vite
import engineUrl from './sw-engine.ts?worker&url';

declare const self: ServiceWorkerGlobalScope & {
  __WB_MANIFEST: (PrecacheEntry | string)[];
  /** Of sw-engine.ts. */
  sync?: Sync;
};

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();
registerRoute(
  new NavigationRoute(createHandlerBoundToURL('/index.html'), {
    denylist: [/^\/v1(\/|$)/, /^\/socket\.io\//, /^\/phone\.html$/],
  }),
);

// What another app shares goes on in the fragment, which no server hears of.
registerRoute(
  '/share',
  async ({ request }) => {
    const form = await request.formData();
    const given = [...form].flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []));
    return Response.redirect(`/#/share?${new URLSearchParams(given)}`, 303);
  },
  'POST',
);

// So that the first visit is enough: the page that installed this is under its control at once.
clientsClaim();

const trust = trustScripts([engineUrl]);

/** Once it is installed, a service worker may import what it has imported before and nothing else. */
const load = (): void => {
  if (!self.sync) importScripts(trust(engineUrl));
};
self.addEventListener('install', load);

const sync: Sync = async () => {
  load();
  return self.sync!();
};

const windows = (): Promise<readonly WindowClient[]> =>
  self.clients.matchAll({ type: 'window', includeUncontrolled: true });

/** Unless somebody looks at a page of the app, whichever has asked. */
const notify = async ({ title, path, ...rest }: Notice): Promise<void> => {
  if ((await windows()).some(({ focused }) => focused)) return;
  await self.registration.showNotification(title, { ...rest, icon: '/icon-192.png', data: path });
};

/** Leads to what was chosen, in a page that is there or in a new one. */
const goTo = async (path: string): Promise<void> => {
  const [client] = await windows();
  if (!client) return void (await self.clients.openWindow(`/#${path}`));
  client.postMessage({ type: 'SOTTO_OPEN', path });
  await client.focus();
};

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(goTo(String(event.notification.data)));
});

self.addEventListener('message', (event) => {
  const { type, notice } = (event.data ?? {}) as { type?: unknown; notice?: Notice };
  if (type === 'SOTTO_NOTIFY' && notice) event.waitUntil(notify(notice));
  // Only when the person says so; until then the old version goes on undisturbed.
  if (type === 'SKIP_WAITING') event.waitUntil(self.skipWaiting());
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
