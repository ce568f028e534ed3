import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from '../fixtures/test.ts';

const DIST = path.resolve(import.meta.dirname, '../../apps/web/dist');
const ASSETS = path.join(DIST, 'assets');

const source = (file: string): string => readFileSync(file, 'utf8');
const asset = (prefix: string): string =>
  path.join(
    ASSETS,
    readdirSync(ASSETS).find((name) => name.startsWith(prefix) && name.endsWith('.js'))!,
  );

/** What goes over the wire, in bytes. */
const weight = (file: string): number => gzipSync(readFileSync(file), { level: 9 }).length;

/** The page's first script and all that it imports before it runs. */
const page = (): Set<string> => {
  const html = source(path.join(DIST, 'index.html'));
  const waiting = [path.join(DIST, /<script type="module"[^>]* src="\/([^"]+)"/.exec(html)![1]!)];
  const all = new Set<string>();
  for (const file of waiting) {
    if (all.has(file)) continue;
    all.add(file);
    for (const [, name = ''] of source(file).matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g))
      waiting.push(path.join(ASSETS, name));
  }
  return all;
};

test('what a page and its workers load stays within its budget', () => {
  const first = [...page()].reduce((sum, file) => sum + weight(file), 0);
  expect(first, 'the first screen').toBeLessThan(140_000);
  expect(weight(asset('engine-worker-')), 'the engine in its worker').toBeLessThan(100_000);
  expect(weight(path.join(DIST, 'sw.js')), 'the service worker').toBeLessThan(110_000);
});

test('the service worker is one script, and the page holds no engine', () => {
  expect(source(path.join(DIST, 'sw.js'))).not.toMatch(/\bimport\s*\(|import\.meta/);
  for (const word of ['socket.io', 'BroadcastChannel', 'deriveBits']) {
    for (const file of page()) expect(source(file), `${word} in ${file}`).not.toContain(word);
    expect(source(path.join(DIST, 'sw.js')), word).toContain(word);
  }
});
