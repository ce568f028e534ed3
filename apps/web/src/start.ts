// A file of its own and the page's first (vite.config.ts): the engine opens what is stored while the rest of the page is
// still on its way. Where something is missing that it needs it fails, and the page says why.
// oxlint-disable-next-line import/default -- made by Vite
import workerUrl from './engine-worker.ts?worker&url';
import { SERVICE_WORKER, trustScripts } from './platform/script-url.ts';

/** Of the page's one policy. */
export const trust = trustScripts([workerUrl, SERVICE_WORKER]);

export const engineWorker = new Worker(trust(workerUrl), { type: 'module', name: 'engine' });

/** Rejects when the worker's script does not run. */
export const broken = new Promise<never>((_, reject) => {
  engineWorker.addEventListener('error', () => reject(new Error('the worker did not start')), { once: true });
});
broken.catch(() => undefined);
