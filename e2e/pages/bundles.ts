import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const DIST = path.resolve(import.meta.dirname, '../../apps/web/dist');
const ASSETS = path.join(DIST, 'assets');

export const source = (file: string): string => readFileSync(file, 'utf8');

const asset = (prefix: string): string =>
  path.join(
    ASSETS,
    readdirSync(ASSETS).find((name) => name.startsWith(prefix) && name.endsWith('.js'))!,
  );

/** What goes over the wire, in bytes. */
export const weight = (files: Iterable<string>): number =>
  [...files].reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);

/** Scripts and all that they import before they run. */
const whole = (...entries: string[]): Set<string> => {
  const waiting = [...entries];
  const all = new Set<string>();
  for (const file of waiting) {
    if (all.has(file)) continue;
    all.add(file);
    for (const [, name = ''] of source(file).matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g))
      waiting.push(path.join(ASSETS, name));
  }
  return all;
};

/** The scripts that the page of the built app names, in their order. */
const named = (): string[] =>
  [...source(path.join(DIST, 'index.html')).matchAll(/<script type="module"[^>]* src="\/([^"]+)"/g)].map(
    ([, name]) => path.join(DIST, name!),
  );

/** What the page runs at first. */
export const pageScripts = (): Set<string> => whole(...named());

/** What it runs before anything else is there. */
export const startScripts = (): Set<string> => whole(named()[0]!);

/** What the page's worker runs to show what is stored. */
export const workerScripts = (): Set<string> => whole(asset('engine-worker-'));

/** What it runs to send and to receive. */
export const engineScripts = (): Set<string> => whole(asset('open-engine-'));

/** What serves the app. */
export const serviceWorker = path.join(DIST, 'sw.js');
/** What the service worker imports when it fetches and sends. */
export const serviceEngine = (): string => asset('sw-engine-');
