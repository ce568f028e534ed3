import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { Directory } from '../account/directory.ts';
import { createBackoff, type Clock } from '../clock.ts';
import type { Model } from '../model.ts';
import type { Connection } from '../ports.ts';
import { createPump } from '../pump.ts';
import type { SelfRow } from '../rows.ts';
import { apply, applyNewer, enqueueReceipts } from './apply.ts';
import { followRepair, requestRepair } from './repair.ts';
import { decryptBody, openEnvelope, type Opened } from './decrypt.ts';

/** Envelopes taken in by one transaction. */
const BATCH = 50;

export interface Inbox {
  deliver(envelopes: readonly IncomingEnvelope[]): void;
  connected(connection: Connection): void;
  disconnected(): void;
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
  const resting = new Set<string>();
  let connection: Connection | undefined;
  let cancelRetry: (() => void) | undefined;

  /** Leaves an envelope for a while; those behind it go on. */
  const rest = (id: string): void => {
    resting.add(id);
    clock.after(backoff.next(), () => {
      resting.delete(id);
      pump.kick();
    });
  };

  const isKnown = async (id: string): Promise<boolean> =>
    (await model.store.get('seen', id)) !== undefined || (await model.store.get('aside', id)) !== undefined;

  const take = async (batch: readonly Opened[], self: SelfRow): Promise<void> => {
    const now = clock.now();
    await model.change(async (draft) => {
      const arrived = new Map<string, string[]>();
      for (const opened of batch) {
        if ('later' in opened) continue;
        const { id, at, body, request } = opened.envelope;
        const result = 'reason' in opened ? opened : await decryptBody(draft, self, opened, now);
        if ('reason' in result) {
          // A stranger, or who only claims to be somebody, gets no answer of any kind.
          if ('repair' in result && result.repair && 'peer' in opened && !request)
            await requestRepair(draft, opened.peer, now);
          draft.put('aside', { envelope: id, at, reason: result.reason, body }, id);
          continue;
        }
        draft.put('seen', { envelope: id, at }, id);
        if ('duplicate' in result || 'reason' in opened) continue;
        const { account, device } = opened.peer;
        const arrival = { from: { account, device }, at, now, me: self.account, request: request === true };
        if ('newer' in result) {
          await applyNewer(draft, result.newer, arrival);
          continue;
        }
        if (result.content.kind === 'repair') {
          const { sending } = result;
          await followRepair(draft, model.store, opened.peer, { me: self.account, now, sending });
        }
        const message = await apply(draft, result.content, arrival);
        if (message !== undefined) arrived.set(account, [...(arrived.get(account) ?? []), message]);
      }
      for (const [account, messages] of arrived) enqueueReceipts(draft, account, 'delivered', messages);
    });
  };

  const work = async (): Promise<void> => {
    const { self } = model;
    if (!self || waiting.size === 0) return;
    const envelopes = [...waiting.values()].filter(({ id }) => !resting.has(id)).slice(0, BATCH);
    if (envelopes.length === 0) return;
    const known = await Promise.all(envelopes.map(({ id }) => isKnown(id)));
    const fresh = envelopes.filter((_, index) => !known[index]);
    // One after the other: the first message of a stranger fetches their keys, the next finds them.
    const opened: Opened[] = [];
    const out = new Set<string>();
    for (const envelope of fresh) opened.push(await openEnvelope(self, model, directory, envelope, out));
    if (opened.length > 0) await take(opened, self);
    const later = new Set(opened.flatMap((entry) => ('later' in entry ? [entry.envelope.id] : [])));
    const done = envelopes.map(({ id }) => id).filter((id) => !later.has(id));
    connection?.ack(done);
    for (const id of done) waiting.delete(id);
    for (const id of later) rest(id);
    if (later.size === 0) backoff.reset();
    onStored();
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
    },
    async stop() {
      connection = undefined;
      waiting.clear();
      cancel();
      await pump.stop();
    },
  };
};
