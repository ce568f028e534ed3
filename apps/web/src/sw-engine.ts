// What the service worker fetches and sends with. A script of its own: a start that only serves the app does without it.
import { visit, type VisitEnd } from '@sotto/engine/remote/visit';
import { openEngine } from './platform/open-engine.ts';
import { openChannel } from './platform/store-channel.ts';
import { storeLock } from './platform/store-lock.ts';

/** In ms. Browsers end a worker that keeps an event for much longer. */
const VISIT_MS = 25_000;

/** Fetches and sends what waits, unless a page is there to do it. */
export type Sync = () => Promise<VisitEnd>;

const sync: Sync = () => visit({ lock: storeLock, channel: openChannel(), openEngine, limit: VISIT_MS });

Object.assign(globalThis, { sync });
