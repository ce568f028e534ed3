import type { Clock } from '../clock.ts';

/** In ms: how often the writer is asked for a sign of life, and how long one question has for its answer. */
const CALM_MS = 2000;
const ANSWER_MS = 500;
/** So many questions in a row without an answer: a writer that is frozen, not one that is busy for a moment. */
const PATIENCE = 4;

interface Options {
  clock: Clock;
  ping(): void;
  onDead(): void;
}

/** Finds out whether the writer is alive, for as long as somebody looks at the page and is not the writer. */
export const createWatch = ({ clock, ping, onDead }: Options) => {
  let unanswered = 0;
  let cancel: (() => void) | undefined;

  const ask = (): void => {
    unanswered += 1;
    ping();
    cancel = clock.after(ANSWER_MS, look);
  };

  const look = (): void => {
    if (unanswered === 0) cancel = clock.after(CALM_MS, ask);
    else if (unanswered < PATIENCE) ask();
    else onDead();
  };

  const stop = (): void => {
    cancel?.();
    cancel = undefined;
    unanswered = 0;
  };

  return {
    /** Begins anew, with a question at once. */
    start(): void {
      stop();
      ask();
    },
    stop,
    heard(): void {
      unanswered = 0;
    },
  };
};
