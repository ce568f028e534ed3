import type { Held, Lock } from '@sotto/engine/remote/channel';

const NAME = 'sotto-store';

/** Undefined when it is not available. Held until it is released, stolen, or this page or worker ends. */
const request = (options: LockOptions): Promise<Held | undefined> =>
  new Promise((resolve, reject) => {
    let release = (): void => undefined;
    let lose = (): void => undefined;
    const kept = new Promise<void>((end) => {
      release = end;
    });
    const lost = new Promise<void>((end) => {
      lose = end;
    });
    navigator.locks
      .request(NAME, options, (lock) => {
        resolve(lock ? { lost, release } : undefined);
        return lock ? kept : undefined;
      })
      .catch((error: unknown) => {
        // After it was granted: it was stolen.
        lose();
        reject(error as Error);
      });
  });

/** One writer for the store among the pages of this browser and its service worker. */
export const storeLock: Lock = {
  acquire: async (options) => (await request(options))!,
  tryAcquire: () => request({ ifAvailable: true }),
};
