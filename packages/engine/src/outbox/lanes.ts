import { createBackoff, type Clock } from '../clock.ts';
import type { OutboxRow } from '../rows.ts';

/** In ms: then it is looked at again, whatever clock or relay said. */
const LONGEST_WAIT = 10 * 60_000;
/** Nothing is put off by more than this, in ms: what is, was so by a clock that has been put back since. */
const LONGEST_DELAY = 5_000;

/**
 * What has to keep its order. Rows for one device alone, and what is still owed to some, stand beside their conversation and
 * hold nothing up in it.
 */
export const laneOf = ({ seq, conversation, to, owed }: OutboxRow): string => {
  if (owed !== undefined) return `owed ${seq}`;
  return to === undefined ? conversation : `${conversation} ${to}`;
};

/** Which lanes of the outbox may go on at the moment. */
export const createLanes = (clock: Clock, kick: () => void) => {
  /** Could not go on a moment ago: no keys to be had, or the relay said "later". */
  const resting = new Set<string>();
  /** How long they were last left alone, until the next connection. */
  const pauses = new Map<string, ReturnType<typeof createBackoff>>();
  /** Rows whose time has not come, with a timer each. */
  const timed = new Set<number>();
  const cancels = new Set<() => void>();
  let stopped = false;

  const after = (ms: number, task: () => void): void => {
    if (stopped) return;
    const cancel = clock.after(ms, () => {
      cancels.delete(cancel);
      task();
      kick();
    });
    cancels.add(cancel);
  };

  /** False before its time; then it is looked at again when that has come. */
  const isDue = ({ seq, notBefore }: OutboxRow): boolean => {
    const wait = (notBefore ?? 0) - clock.now();
    if (wait <= 0 || wait > LONGEST_DELAY) return true;
    if (!timed.has(seq)) {
      timed.add(seq);
      after(wait, () => timed.delete(seq));
    }
    return false;
  };

  return {
    /** Leaves a lane alone for a while, at least so many seconds; the others go on. */
    pause(lane: string, seconds = 0): void {
      if (resting.has(lane)) return;
      resting.add(lane);
      const steps = pauses.get(lane) ?? createBackoff(500, 30_000);
      pauses.set(lane, steps);
      const wait = Math.min(Math.max(steps.next(), seconds * 1000), LONGEST_WAIT);
      after(wait, () => resting.delete(lane));
    },
    /** The rows that pass, in order; one that is not due or does not pass holds back those behind it in its lane. */
    ready(rows: Iterable<OutboxRow>, test: (row: OutboxRow) => boolean): OutboxRow[] {
      const blocked = new Set(resting);
      const passed: OutboxRow[] = [];
      for (const row of rows) {
        const lane = laneOf(row);
        if (blocked.has(lane)) continue;
        if (isDue(row) && test(row)) passed.push(row);
        else blocked.add(lane);
      }
      return passed;
    },
    /** A new connection: everything may be tried at once. */
    clear(): void {
      resting.clear();
      pauses.clear();
    },
    stop(): void {
      stopped = true;
      for (const cancel of cancels) cancel();
    },
  };
};
