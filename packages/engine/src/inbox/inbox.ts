import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { Directory } from '../account/directory.ts';
import { createBackoff, type Clock } from '../clock.ts';
import type { Model } from '../model.ts';
import type { Connection } from '../ports.ts';
import { createPump } from '../pump.ts';
import { createGapWatch } from './gaps.ts';
import { openBatch } from './senders.ts';
import { takeBatch } from './take.ts';

/** Envelopes taken in by one transaction. */
const BATCH = 256;
/** How long one is left alone whose sender's keys cannot be had, in ms. */
const REST = { first: 500, most: 30_000 };

export interface Inbox {
  deliver(envelopes: readonly IncomingEnvelope[]): void;
  connected(connection: Connection): void;
  disconnected(): void;
  /** Resolves when what has been delivered was taken in, but for what has to wait. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

interface Options {
  model: Model;
  directory: Directory;
  clock: Clock;
  /** Something was stored that the outbox has to send. */
  onStored: () => void;
  /** Told of errors that keep envelopes waiting; the inbox tries again by itself. */
  onError: (error: unknown) => void;
}

/**
 * Decrypts a batch, commits everything that follows from it in one transaction, and only then acknowledges it. What
 * cannot be opened is set aside with its reason, so nothing that somebody sends holds up what comes after it.
 */
export const createInbox = ({ model, directory, clock, onStored, onError }: Options): Inbox => {
  const backoff = createBackoff(500, 30_000);
  const waiting = new Map<string, IncomingEnvelope>();
  /** Those that are left alone, and since they came how long the last time. */
  const resting = new Set<string>();
  const rests = new Map<string, ReturnType<typeof createBackoff>>();
  const gaps = createGapWatch(model, clock, onStored, onError);
  let connection: Connection | undefined;
  let cancelRetry: (() => void) | undefined;
  let settling: (() => void)[] = [];

  const ready = (): IncomingEnvelope[] => [...waiting.values()].filter(({ id }) => !resting.has(id));

  const tellSettled = (): void => {
    if (ready().length > 0) return;
    for (const tell of settling) tell();
    settling = [];
  };

  /** Leaves an envelope for a while; those behind it go on. */
  const rest = (id: string): void => {
    const steps = rests.get(id) ?? createBackoff(REST.first, REST.most);
    rests.set(id, steps);
    resting.add(id);
    clock.after(steps.next(), () => {
      resting.delete(id);
      pump.kick();
    });
  };

  const forget = (id: string): void => {
    waiting.delete(id);
    rests.delete(id);
  };

  /** Those that have not been dealt with. */
  const unknown = async (envelopes: readonly IncomingEnvelope[]): Promise<IncomingEnvelope[]> => {
    const ids = envelopes.map(({ id }) => id);
    const [seen, aside] = await Promise.all([model.store.has('seen', ids), model.store.has('aside', ids)]);
    return envelopes.filter((_, at) => !seen[at] && !aside[at]);
  };

  const work = async (): Promise<void> => {
    const { self } = model;
    if (!self || waiting.size === 0) return;
    const envelopes = ready().slice(0, BATCH);
    if (envelopes.length === 0) return;
    const opened = await openBatch(self, model, directory, await unknown(envelopes));
    if (opened.length > 0) {
      const now = clock.now();
      gaps.note(
        await model.change(async (draft) => {
          // As it is now: another device may have been added or revoked while keys were fetched.
          const current = (await draft.get('self', 'self'))!;
          return takeBatch({ draft, model, self: current, now }, opened);
        }),
      );
    }
    const later = new Set(opened.flatMap((entry) => ('later' in entry ? [entry.envelope.id] : [])));
    const done = envelopes.map(({ id }) => id).filter((id) => !later.has(id));
    connection?.ack(done);
    for (const id of done) forget(id);
    for (const id of later) rest(id);
    backoff.reset();
    onStored();
    tellSettled();
    pump.kick();
  };

  const pump = createPump(async () => {
    if (cancelRetry) return;
    try {
      await work();
    } catch (error) {
      onError(error);
      cancelRetry = clock.after(backoff.next(), () => {
        cancelRetry = undefined;
        pump.kick();
      });
    }
  });

  const cancel = (): void => {
    cancelRetry?.();
    cancelRetry = undefined;
  };

  return {
    deliver(envelopes) {
      for (const envelope of envelopes) waiting.set(envelope.id, envelope);
      pump.kick();
    },
    connected(next) {
      connection = next;
      resting.clear();
      cancel();
      pump.kick();
    },
    disconnected() {
      // Whatever is not acknowledged comes again.
      connection = undefined;
      waiting.clear();
      rests.clear();
      tellSettled();
    },
    settled: () =>
      new Promise((resolve) => {
        settling.push(resolve);
        tellSettled();
      }),
    async stop() {
      connection = undefined;
      waiting.clear();
      cancel();
      gaps.stop();
      await pump.stop();
    },
  };
};
