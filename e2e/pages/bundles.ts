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

/** A script and all that it imports before it runs. */
const whole = (entry: string): Set<string> => {
  const waiting = [entry];
  const all = new Set<string>();
  for (const file of waiting) {
    if (all.has(file)) continue;
    all.add(file);
    for (const [, name = ''] of source(file).matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g))
      waiting.push(path.join(ASSETS, name));
  }
  return all;
};

/** What the page of the built app runs at first. */
export const pageScripts = (): Set<string> => {
  const html = source(path.join(DIST, 'index.html'));
  return whole(path.join(DIST, /<script type="module"[^>]* src="\/([^"]+)"/.exec(html)![1]!));
};

/** What the page's worker runs: in one piece, for WebKit would run a script again that what is loaded later imports. */
export const workerScripts = (): Set<string> => whole(asset('engine-worker-'));

/** What serves the app. */
export const serviceWorker = path.join(DIST, 'sw.js');
/** What the service worker imports when it fetches and sends. */
export const serviceEngine = (): string => asset('sw-engine-');
