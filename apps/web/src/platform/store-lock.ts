const NAME = 'sotto-store';

/** A page that is just being reloaded or closed needs a moment until its lock is free. */
const HANDOVER_MS = 400;

export type LockState = 'held' | 'elsewhere' | 'lost';

/** One writer for the store: whichever page of this browser holds the lock. */
export interface StoreLock {
  acquire(): Promise<'held' | 'elsewhere'>;
  /** Takes the lock away from the page that holds it. */
  takeOver(): Promise<void>;
  state(): LockState;
}

/** `onLost` is called when another page took the lock away: nothing may be stored from then on. */
export const createStoreLock = (onLost: () => void): StoreLock => {
  let state: LockState = 'elsewhere';
  /** The request that holds the lock: one that this page stole from itself ends without a word. */
  let holder: object | undefined;

  /** Resolves once granted or refused; the lock itself is kept until the page ends or it is stolen. */
  const request = (options: LockOptions): Promise<boolean> =>
    new Promise((resolve) => {
      const mine = {};
      navigator.locks
        .request(NAME, options, (lock) => {
          if (lock === null) {
            resolve(false);
            return undefined;
          }
          state = 'held';
          holder = mine;
          resolve(true);
          return new Promise<never>(() => undefined);
        })
        .catch(() => {
          resolve(false);
          if (holder !== mine) return;
          state = 'lost';
          onLost();
        });
    });

  return {
    acquire: async () => {
      if (state === 'held') return 'held';
      const held =
        (await request({ ifAvailable: true })) ||
        (await request({ signal: AbortSignal.timeout(HANDOVER_MS) }));
      return held ? 'held' : 'elsewhere';
    },
    takeOver: async () => {
      await request({ steal: true });
    },
    state: () => state,
  };
};
