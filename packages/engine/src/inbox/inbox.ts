import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { Directory } from '../account/directory.ts';
import { createBackoff, type Clock } from '../clock.ts';
import type { Draft, Model } from '../model.ts';
import type { Connection } from '../ports.ts';
import { createPump } from '../pump.ts';
import type { SelfRow } from '../rows.ts';
import { createGapWatch } from './gaps.ts';
import { createHeadWatch } from './heads.ts';
import { openBatch, type Opened } from './senders.ts';
import { takeBatch } from './take.ts';
import { createBudget, createUnclaimed } from './unclaimed.ts';

/** Envelopes taken in by one transaction. */
const BATCH = 256;
/** Accounts that are nobody's here and that the relay is asked about in a minute. */
const ASKED_A_MINUTE = 60;
/** How long one is left alone whose sender's keys cannot be had, in ms. */
const REST = { first: 500, most: 30_000 };

export interface Inbox {
  deliver(envelopes: readonly IncomingEnvelope[]): void;
  connected(connection: Connection): void;
  /** All that waited is stored: what is missing still was lost. */
  caughtUp(): Promise<void>;
  disconnected(): void;
  /** Resolves when what has been delivered was taken in, but for what has to wait. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Envelopes whose seals are being opened. */
interface Batch {
  envelopes: IncomingEnvelope[];
  opened: Promise<Opened[]>;
}

interface Options {
  model: Model;
  directory: Directory;
  clock: Clock;
  /** Whether this device posted it: then there is nothing to take in. */
  hasPosted: (id: string) => boolean;
  /** Lets what follows from a batch, and is for others, leave after the same commit. */
  prepare: (draft: Draft) => Promise<void>;
  /** Something was stored that the outbox has to send. */
  onStored: () => void;
  /** Something waits in a group; a log that has to be looked at is named. */
  onGroup: (group?: string) => void;
  /** Told of errors that keep envelopes waiting; the inbox tries again by itself. */
  onError: (error: unknown) => void;
}

/**
 * Decrypts a batch, commits everything that follows from it in one transaction, and only then acknowledges it. What
 * cannot be opened is set aside with its reason, so nothing that somebody sends holds up what comes after it.
 */
export const createInbox = (options: Options): Inbox => {
  const { model, directory, clock, hasPosted, prepare, onStored, onGroup, onError } = options;
  const backoff = createBackoff(500, 30_000);
  const waiting = new Map<string, IncomingEnvelope>();
  /** Those that are left alone, and since they came how long the last time. */
  const resting = new Set<string>();
  const rests = new Map<string, ReturnType<typeof createBackoff>>();
  const cancelRests = new Set<() => void>();
  const gaps = createGapWatch(model, clock, onStored, onError);
  const heads = createHeadWatch({ model, directory, clock }, onStored, onError);
  let connection: Connection | undefined;
  let cancelRetry: (() => void) | undefined;
  let settling: (() => void)[] = [];
  const unclaimed = createUnclaimed(model);
  let ahead: Batch | undefined;
  const sources = { model, directory, mayAsk: createBudget(clock, ASKED_A_MINUTE) };

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
    const cancelRest = clock.after(steps.next(), () => {
      cancelRests.delete(cancelRest);
      resting.delete(id);
      pump.kick();
    });
    cancelRests.add(cancelRest);
  };

  const forget = (id: string): void => {
    waiting.delete(id);
    rests.delete(id);
  };

  /** Those that have not been dealt with. */
  const unknown = async (envelopes: readonly IncomingEnvelope[]): Promise<IncomingEnvelope[]> => {
    const seen = await model.store.has(
      'seen',
      envelopes.map(({ id }) => id),
    );
    return envelopes.filter((_, at) => !seen[at]);
  };

  /** Begins with the first of those that wait, but for a batch that is being stored. */
  const begin = (self: SelfRow, stored?: ReadonlySet<string>): Batch | undefined => {
    const envelopes = ready()
      .filter(({ id }) => !stored?.has(id))
      .slice(0, BATCH);
    if (envelopes.length === 0) return undefined;
    const opened = unknown(envelopes).then((fresh) => openBatch(self, sources, fresh));
    // Whoever takes it hears of it.
    opened.catch(() => undefined);
    return { envelopes, opened };
  };

  const work = async (): Promise<void> => {
    const { self } = model;
    if (!self) return;
    for (const envelope of await unclaimed.load()) waiting.set(envelope.id, envelope);
    const batch = ahead ?? begin(self);
    ahead = undefined;
    if (!batch) return;
    const ids = batch.envelopes.map(({ id }) => id);
    const opened = unclaimed.admit(await batch.opened);
    if (opened.length > 0) {
      const now = clock.now();
      const left = await model.change(async (draft) => {
        // As it is now: another device may have been added or revoked while keys were fetched.
        const current = (await draft.get('self', 'self'))!;
        unclaimed.keep(draft, opened, now);
        const rest = await takeBatch({ draft, model, self: current, now }, opened);
        // While the store writes.
        ahead = begin(current, new Set(ids));
        await prepare(draft);
        return rest;
      });
      unclaimed.kept(opened);
      gaps.note(left.peers);
      for (const { group, due } of left.groups) onGroup(due ? group : undefined);
      heads.kick();
    }
    const later = new Set(opened.flatMap((entry) => ('later' in entry ? [entry.envelope.id] : [])));
    connection?.ack(ids.filter((id) => !later.has(id) || unclaimed.has(id)));
    for (const id of ids) if (!later.has(id)) forget(id);
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
      // It comes after those that are still here.
      ahead = undefined;
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
      const others = envelopes.filter(({ id }) => !hasPosted(id));
      for (const envelope of others) waiting.set(envelope.id, envelope);
      connection?.ack(envelopes.map(({ id }) => id).filter((id) => unclaimed.has(id) || hasPosted(id)));
      if (others.length > 0) pump.kick();
    },
    caughtUp: () => gaps.caughtUp().catch(onError),
    connected(next) {
      connection = next;
      resting.clear();
      cancel();
      heads.connected();
      pump.kick();
    },
    disconnected() {
      // Whatever is not acknowledged comes again.
      connection = undefined;
      for (const id of waiting.keys()) if (!unclaimed.has(id)) forget(id);
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
      await Promise.all([heads.stop(), pump.stop()]);
      for (const cancelRest of cancelRests) cancelRest();
    },
  };
};
