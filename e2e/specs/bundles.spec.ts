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

test('what a page and its workers load stays within its budget', () => {
  expect(weight(asset('index-')), 'the first screen').toBeLessThan(115_000);
  expect(weight(asset('engine-worker-')), 'the engine in its worker').toBeLessThan(90_000);
  expect(weight(path.join(DIST, 'sw.js')), 'the service worker').toBeLessThan(100_000);
});

test('the service worker is one script, and the page holds no engine', () => {
  expect(source(path.join(DIST, 'sw.js'))).not.toMatch(/\bimport\s*\(|import\.meta/);
  for (const word of ['socket.io', 'BroadcastChannel', 'deriveBits']) {
    expect(source(asset('index-')), word).not.toContain(word);
    expect(source(path.join(DIST, 'sw.js')), word).toContain(word);
  }
});
