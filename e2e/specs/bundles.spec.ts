import { expect, test } from '../fixtures/test.ts';
import {
  engineScripts,
  pageScripts,
  serviceEngine,
  serviceWorker,
  source,
  startScripts,
  weight,
  workerScripts,
} from '../pages/bundles.ts';

test('what a page and its workers load stays within its budget', () => {
  expect(weight(pageScripts()), 'the first screen').toBeGreaterThan(100_000);
  expect(weight(pageScripts()), 'the first screen').toBeLessThan(130_000);
  expect(weight(workerScripts()), 'what shows the store, in its worker').toBeLessThan(26_000);
  expect(weight(engineScripts()), 'with the engine').toBeLessThan(110_000);
  expect(
    weight([serviceWorker]),
    'the service worker, serving the app, with the list of its files',
  ).toBeLessThan(9_000);
  expect(weight([serviceEngine()]), 'what it fetches and sends with').toBeLessThan(114_000);
});

test('a page starts its worker before the rest of it is there', () => {
  expect([...startScripts()].map(source).join('')).toContain('new Worker(');
  expect(weight(startScripts())).toBeLessThan(500);
});

test('the page, and what serves it, hold no engine', () => {
  const first = [...pageScripts(), serviceWorker];
  for (const word of ['socket.io', 'HKDF', 'invalid_type']) {
    for (const file of first) expect(source(file), `${word} in ${file}`).not.toContain(word);
    expect([...engineScripts()].map(source).join(''), word).toContain(word);
    expect(source(serviceEngine()), word).toContain(word);
  }
  for (const file of workerScripts())
    for (const word of ['socket.io', 'invalid_type']) expect(source(file)).not.toContain(word);
  for (const file of first) expect(source(file)).not.toContain('BroadcastChannel');
});

test('what the worker loads later does not import its script, which WebKit would run again', () => {
  const later = [...engineScripts()].filter((script) => !workerScripts().has(script));
  expect(later.length).toBeGreaterThan(0);
  for (const script of later) expect(source(script)).not.toContain('engine-worker');
});

test('a service worker loads no module, which it cannot', () => {
  for (const file of [serviceWorker, serviceEngine()])
    expect(source(file)).not.toMatch(/\bimport\s*\(|import\.meta/);
});
