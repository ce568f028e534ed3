import { LIMITS } from '@sotto/contract/limits';

/** Time as the engine sees it, so that tests can turn it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `task` after `ms`; the answer cancels it. */
  after(ms: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
};

/** Doubling from `first` to `most`, each time shortened by up to half at random so that clients spread out. */
export const createBackoff = (first: number, most: number) => {
  let step = first;
  return {
    next(): number {
      const wait = step * (0.5 + Math.random() / 2);
      step = Math.min(step * 2, most);
      return wait;
    },
    reset(): void {
      step = first;
    },
  };
};

/** The time of a word that is to count after others, said at these times: later than they whatever the clock says. */
export const timeAfter = (now: number, said: readonly (number | undefined)[]): number =>
  Math.min(Math.max(now, ...said.map((time) => (time ?? 0) + 1)), LIMITS.latestTime);

const DAY = 24 * 60 * 60 * 1000;

/** The day of a moment, in ms: what others get to see says no more of when this device was at work. */
export const dayOf = (at: number): number => at - (at % DAY);
