import type { Probe } from './probe.ts';

/** Where the probe puts what it offers. */
export type Offers = typeof globalThis & { probe: Probe };

const PATIENCE_MS = 60_000;

/** Rejects what a page does not come to say. */
export const patient = <T>(said: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('a page did not get there')), PATIENCE_MS);
    void said.then(resolve, reject).finally(() => clearTimeout(late));
  });
