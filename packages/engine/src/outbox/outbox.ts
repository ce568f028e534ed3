import type { OutgoingEnvelope } from '@sotto/contract/envelope';
import { type ErrorCode, RelayError } from '@sotto/contract/errors';
import type { SendResult } from '@sotto/contract/events/relay';
import { LIMITS } from '@sotto/contract/limits';
import { CryptoError } from '@sotto/crypto/errors';
import { SEALING_ROTATION } from '@sotto/crypto/limits';
import type { Directory } from '../account/directory.ts';
import { createBackoff, type Clock } from '../clock.ts';
import { putContact, putConversation, putMessage } from '../conversations/draft.ts';
import { place, withSettledLast } from '../conversations/order.ts';
import { joinStatus } from '../conversations/status.ts';
import type { Draft, Model } from '../model.ts';
import type { Connection, Transport } from '../ports.ts';
import { createPump } from '../pump.ts';
import type { ContactRow, ConversationRow, MessageRow, OutboxRow, SelfRow, SendProblem } from '../rows.ts';
import { type Bundles, encryptFor, fetchBundles } from './encrypt.ts';

/** A batch that is never answered is sent again after this long, in ms: far beyond a busy relay's worst. */
const ANSWER_MS = 20_000;
/** Rows encrypted and committed at once. */
const ENCRYPT_ROWS = 50;
/** Refusals that say that the recipient's devices are others now. */
const OUTDATED: readonly ErrorCode[] = ['device-unknown', 'stale-devices'];
/** How often a message is encrypted anew after one of them. */
const RENEWALS = 3;
/** In ms: then it is looked at again, whatever clock or relay said. */
const LONGEST_WAIT = 10 * 60_000;
/** Said of the connection, not of what was sent over it. */
const ENDING: readonly ErrorCode[] = ['token-expired', 'unauthenticated', 'device-removed'];

export interface Outbox {
  /** Something new waits, or what it waited for may be there. */
  kick(): void;
  /** A connection is up: everything without an outcome goes out again. */
  connected(connection: Connection): void;
  disconnected(): void;
  accepted(results: readonly SendResult[]): void;
  /** The relay refused the batch under way as a whole. */
  refused(code: ErrorCode): void;
  stop(): Promise<void>;
}

interface Options {
  model: Model;
  directory: Directory;
  transport: Transport;
  clock: Clock;
  /** Told of errors of the store; the outbox tries again by itself. */
  onError: (error: unknown) => void;
}

/**
 * The only place that sends and the only one that tries again. A row is encrypted once, its bytes are committed, and
 * those bytes go out until the relay tells their fate. One batch is under way at a time, so what was written first
 * is accepted first.
 */
export const createOutbox = ({ model, directory, transport, clock, onError }: Options): Outbox => {
  const backoff = createBackoff(500, 30_000);
  let connection: Connection | undefined;
  let underWay:
    | { rows: readonly OutboxRow[]; results: Map<string, SendResult>; cancel: () => void }
    | undefined;
  let cancelRetry: (() => void) | undefined;
  /** Conversations that could not go on a moment ago: no keys to be had, or the relay said "later". */
  const resting = new Set<string>();
  /** How long they were last left alone, until the next connection. */
  const pauses = new Map<string, ReturnType<typeof createBackoff>>();
  /** Rows whose time has not come, with a timer each. */
  const timed = new Set<number>();
  let lastFailed = 0;
  /** One row at a time after a refusal of a whole batch, until it is known which row was meant. */
  let single = false;

  const retryLater = (): void => {
    cancelRetry ??= clock.after(backoff.next(), () => {
      cancelRetry = undefined;
      pump.kick();
    });
  };

  /** False before its time; then it is looked at again when that has come. */
  const isDue = ({ seq, notBefore }: OutboxRow): boolean => {
    const wait = (notBefore ?? 0) - clock.now();
    if (wait <= 0) return true;
    if (!timed.has(seq)) {
      timed.add(seq);
      clock.after(Math.min(wait, LONGEST_WAIT), () => {
        timed.delete(seq);
        pump.kick();
      });
    }
    return false;
  };

  /** Leaves a conversation alone for a while; the others go on. */
  const pause = (conversation: string, seconds = 0): void => {
    if (resting.has(conversation)) return;
    resting.add(conversation);
    const steps = pauses.get(conversation) ?? createBackoff(500, 30_000);
    pauses.set(conversation, steps);
    const wait = Math.min(Math.max(steps.next(), seconds * 1000), LONGEST_WAIT);
    clock.after(wait, () => {
      resting.delete(conversation);
      pump.kick();
    });
  };

  /** Rows in order; a conversation whose first row cannot go keeps its later ones back. */
  const ready = (test: (row: OutboxRow) => boolean): OutboxRow[] => {
    const blocked = new Set(resting);
    const rows: OutboxRow[] = [];
    for (const row of model.outbox.values()) {
      if (blocked.has(row.conversation) || !isDue(row)) continue;
      if (test(row)) rows.push(row);
      else blocked.add(row.conversation);
    }
    return rows;
  };

  const putSettled = async (
    draft: Draft,
    conversation: ConversationRow,
    message: MessageRow,
    self: SelfRow,
    settled: number,
  ): Promise<void> => {
    const { account } = self;
    putConversation(
      draft,
      await withSettledLast(draft, model.store, conversation, message, account, settled),
    );
  };

  const fail = async (draft: Draft, row: OutboxRow, problem: SendProblem, settled: number): Promise<void> => {
    draft.remove('outbox', row.seq);
    if (row.content.kind === 'profile') {
      const contact = await draft.get('contact', row.conversation);
      // They have not heard one's name: the next message brings it.
      if (contact) putContact(draft, { ...contact, introduced: false });
    }
    if (row.content.kind !== 'text') return;
    const message = await draft.get('message', [row.conversation, row.content.id]);
    const conversation = await draft.get('conversation', row.conversation);
    if (message?.status !== 'waiting' || !conversation || !model.self) return;
    lastFailed = Math.max(clock.now(), lastFailed + 1);
    const failed = { ...message, order: lastFailed, status: 'failed' as const, problem };
    putMessage(draft, failed);
    await putSettled(draft, conversation, failed, model.self, settled);
  };

  /** The keys to encrypt for; a problem when there are none; undefined when it is not known yet. */
  const keysOf = async (account: string): Promise<ContactRow | SendProblem | undefined> => {
    const known = model.contacts.get(account);
    const reachable = (contact: ContactRow) => contact.devices.some(({ sealing }) => sealing);
    const isFresh = clock.now() < (known?.fetchedAt ?? 0) + SEALING_ROTATION;
    if (known && isFresh && reachable(known)) return known;
    try {
      const fresh = await directory.refresh(account);
      if (known && known.handle !== fresh.handle) return 'other-handle';
      return reachable(fresh) ? fresh : 'device-unknown';
    } catch (error) {
      if (error instanceof CryptoError) return 'keys-invalid';
      if (!(error instanceof RelayError)) throw error;
      if (error.code === 'account-unknown') return error.code;
      // Everything else speaks of this device or of the moment, not of the recipient.
      return known && reachable(known) ? known : undefined;
    }
  };

  /** A contact and what is needed to start the sessions that are missing; a problem; undefined when not known yet. */
  const readyFor = async (
    self: SelfRow,
    account: string,
  ): Promise<{ contact: ContactRow; bundles: Bundles } | SendProblem | undefined> => {
    const contact = await keysOf(account);
    if (contact === undefined || typeof contact === 'string') return contact;
    try {
      return { contact, bundles: await fetchBundles(model.store, transport, self, contact, clock.now()) };
    } catch (error) {
      if (error instanceof RelayError) return undefined;
      throw error;
    }
  };

  const encryptRow = async (
    draft: Draft,
    self: SelfRow,
    row: OutboxRow,
    { contact, bundles }: { contact: ContactRow; bundles: Bundles },
  ): Promise<OutboxRow | SendProblem> => {
    try {
      const envelopes = await encryptFor(draft, self, contact, row.content, bundles, clock.now());
      return envelopes.length > 0 ? { ...row, envelopes } : 'device-unknown';
    } catch (error) {
      if (error instanceof CryptoError) return 'keys-invalid';
      throw error;
    }
  };

  const encrypt = async (self: SelfRow): Promise<void> => {
    const waiting = [...model.outbox.values()]
      .filter((row) => !row.envelopes && !resting.has(row.conversation) && isDue(row))
      .slice(0, ENCRYPT_ROWS);
    const found = new Map<string, Awaited<ReturnType<typeof readyFor>>>();
    for (const { conversation } of waiting) {
      if (found.has(conversation)) continue;
      const entry = await readyFor(self, conversation);
      found.set(conversation, entry);
      if (entry === undefined) pause(conversation);
    }
    const rows = waiting.filter(({ conversation }) => found.get(conversation) !== undefined);
    if (rows.length === 0) return;
    // Sessions move on here, alone: what else changes them waits for this commit.
    await model.change(async (draft) => {
      for (const row of rows) {
        const entry = found.get(row.conversation)!;
        const result = typeof entry === 'string' ? entry : await encryptRow(draft, self, row, entry);
        if (typeof result === 'string') await fail(draft, row, result, rows.length);
        else draft.put('outbox', result, row.seq);
      }
    });
    pump.kick();
  };

  const send = (): void => {
    if (!connection || underWay) return;
    const rows: OutboxRow[] = [];
    const envelopes: OutgoingEnvelope[] = [];
    let bytes = 0;
    for (const row of ready((candidate) => candidate.envelopes !== undefined)) {
      const own = row.envelopes as OutgoingEnvelope[];
      bytes += own.reduce((sum, { body }) => sum + body.length + 64, 0);
      const over = envelopes.length + own.length > LIMITS.envelopesPerSend || bytes > LIMITS.frameBytes / 2;
      if (rows.length > 0 && (over || single)) break;
      rows.push(row);
      envelopes.push(...own);
    }
    if (rows.length === 0 || !connection.send(envelopes)) return;
    const cancel = clock.after(ANSWER_MS, () => {
      underWay = undefined;
      pump.kick();
    });
    underWay = { rows, results: new Map(), cancel };
  };

  const settleRow = async (
    draft: Draft,
    row: OutboxRow,
    results: readonly SendResult[],
    settled: number,
  ): Promise<void> => {
    const refused = results.find((result) => 'code' in result);
    if (refused) {
      const refusal = refused.code;
      if (new RelayError(refusal).retry) return pause(row.conversation, refused.retryAfter);
      const renewals = (row.renewals ?? 0) + 1;
      if (!OUTDATED.includes(refusal) || renewals > RENEWALS) return fail(draft, row, refusal, settled);
      const contact = await draft.get('contact', row.conversation);
      if (contact) {
        const devices = contact.devices.map(({ sealing: _, ...device }) => device);
        putContact(draft, { ...contact, devices });
      }
      const { envelopes: _, ...plain } = row;
      return draft.put('outbox', { ...plain, renewals }, row.seq);
    }
    draft.remove('outbox', row.seq);
    const self = model.self;
    if (row.content.kind !== 'text' || !self) return;
    const message = await draft.get('message', [row.conversation, row.content.id]);
    const conversation = await draft.get('conversation', row.conversation);
    if (!message || !conversation) return;
    const at = Math.max(...results.map((result) => ('at' in result ? result.at : 0)));
    const { order, floors } = place(conversation, self.device, at);
    const { problem: _, ...rest } = message;
    const sent = { ...rest, at, order, status: joinStatus(message.status, 'sent') };
    putMessage(draft, sent);
    await putSettled(draft, { ...conversation, floors }, sent, self, settled);
  };

  const settle = async (batch: NonNullable<typeof underWay>): Promise<void> => {
    single = false;
    if ([...batch.results.values()].every((result) => 'at' in result)) backoff.reset();
    await model.change(async (draft) => {
      for (const row of batch.rows) {
        const results = row.envelopes!.map(({ id }) => batch.results.get(id)!);
        await settleRow(draft, row, results, batch.rows.length);
      }
    });
  };

  const pump = createPump(async () => {
    const { self } = model;
    if (!self || self.registering) return;
    try {
      const batch = underWay;
      if (batch && batch.rows.every((row) => row.envelopes!.every(({ id }) => batch.results.has(id)))) {
        batch.cancel();
        await settle(batch);
        underWay = undefined;
      }
      if (connection) await encrypt(self);
      if (!cancelRetry) send();
    } catch (error) {
      onError(error);
      retryLater();
    }
  });

  const forget = (): void => {
    underWay?.cancel();
    underWay = undefined;
  };

  return {
    kick: () => pump.kick(),
    connected(next) {
      connection = next;
      forget();
      cancelRetry?.();
      cancelRetry = undefined;
      resting.clear();
      pauses.clear();
      backoff.reset();
      pump.kick();
    },
    disconnected() {
      connection = undefined;
      forget();
    },
    accepted(results) {
      for (const result of results) underWay?.results.set(result.id, result);
      pump.kick();
    },
    refused(code) {
      const batch = underWay;
      // The connection is about to end; what is under way goes out again over the next.
      if (!batch || ENDING.includes(code)) return;
      if (new RelayError(code).retry || batch.rows.length > 1) {
        forget();
        single = !new RelayError(code).retry;
        if (single) pump.kick();
        else retryLater();
        return;
      }
      for (const { id } of batch.rows[0]!.envelopes!) {
        batch.results.set(id, { id: id as OutgoingEnvelope['id'], code });
      }
      pump.kick();
    },
    async stop() {
      connection = undefined;
      forget();
      cancelRetry?.();
      await pump.stop();
    },
  };
};
