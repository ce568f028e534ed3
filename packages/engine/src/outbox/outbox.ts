import type { OutgoingEnvelope } from '@sotto/contract/envelope';
import { type ErrorCode, RelayError } from '@sotto/contract/errors';
import type { SendResult } from '@sotto/contract/events/relay';
import { LIMITS } from '@sotto/contract/limits';
import type { Directory } from '../account/directory.ts';
import { createBackoff, type Clock } from '../clock.ts';
import type { Draft, Model } from '../model.ts';
import type { Connection, Transport } from '../ports.ts';
import { createPump } from '../pump.ts';
import type { OutboxRow, SelfRow, SendProblem } from '../rows.ts';
import { encryptFor, type Recipient, targetsOf } from './encrypt.ts';
import { createLanes, laneOf } from './lanes.ts';
import { createRecipients, forgetKeys, isStopped, noteTroubles, type Ready } from './recipients.ts';
import { createTimes, failRow, sentRow, settleRow, type Settling } from './settle.ts';

/** A batch that is never answered is sent again after this long, in ms: far beyond a busy relay's worst. */
const ANSWER_MS = 20_000;
/** Rows encrypted and committed at once. */
const ENCRYPT_ROWS = 50;
/** Then devices that are not there are looked for again, in seconds. */
const AWAY_SECONDS = 600;
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
  /** False while this device is to send nothing. */
  maySend: () => boolean;
  /** Told of errors of the store; the outbox tries again by itself. */
  onError: (error: unknown) => void;
}

interface Batch {
  rows: readonly OutboxRow[];
  results: Map<string, SendResult>;
  cancel: () => void;
}

const isAnswered = ({ rows, results }: Batch): boolean =>
  rows.every((row) => row.envelopes!.every(({ id }) => results.has(id)));

/** Whether the keys of somebody are those that were looked up. */
const isSame = (latest: Recipient, found: Recipient): boolean =>
  latest.fetchedAt === found.fetchedAt && latest.head === found.head && latest.changed === undefined;

/** What of `rows` fits into one frame. */
const frameOf = (rows: readonly OutboxRow[], single: boolean): OutboxRow[] => {
  const chosen: OutboxRow[] = [];
  let count = 0;
  let bytes = 0;
  for (const row of rows) {
    count += row.envelopes!.length;
    bytes += row.envelopes!.reduce((sum, { body }) => sum + body.length + 64, 0);
    const over = count > LIMITS.envelopesPerSend || bytes > LIMITS.frameBytes / 2;
    if (chosen.length > 0 && (over || single)) break;
    chosen.push(row);
  }
  return chosen;
};

/**
 * The only place that sends and the only one that tries again. A row is encrypted once for every device that it is for, its
 * bytes are committed, and those bytes go out until the relay tells their fate. One batch is under way at a time, so what
 * was written first is accepted first.
 */
export const createOutbox = (options: Options): Outbox => {
  const { model, clock, maySend, onError } = options;
  const recipients = createRecipients(options);
  const backoff = createBackoff(500, 30_000);
  const times = createTimes(clock.now);
  const lanes = createLanes(clock, () => pump.kick());
  let connection: Connection | undefined;
  let underWay: Batch | undefined;
  let cancelRetry: (() => void) | undefined;
  /** One row at a time after a refusal of a whole batch, until it is known which row was meant. */
  let single = false;

  const retryLater = (): void => {
    cancelRetry ??= clock.after(backoff.next(), () => {
      cancelRetry = undefined;
      pump.kick();
    });
  };

  const going = (): OutboxRow[] =>
    [...model.outbox.values()].filter(({ conversation }) => !isStopped(model, conversation));

  const settling = (self: SelfRow, settled: number): Settling => ({
    store: model.store,
    self,
    now: clock.now(),
    settled,
    times,
  });

  /** Encrypts one row, or settles it when there is nobody to send it to. */
  const encryptRow = async (draft: Draft, row: OutboxRow, entry: Ready, context: Settling): Promise<void> => {
    const { self, now } = context;
    const { account } = entry.recipient;
    const latest = account === self.account ? self : await draft.get('contact', account);
    // Other devices, or none, since the keys were looked up: the next run sees to it.
    if (!latest || !isSame(latest, entry.recipient)) return undefined;
    const { envelopes, troubles } = await encryptFor(draft, self, entry, row, now);
    const tried = [...envelopes.map(({ device }) => device), ...troubles.keys()];
    await noteTroubles(draft, latest, tried, troubles);
    if (envelopes.length > 0) return draft.put('outbox', { ...row, envelopes }, row.seq);
    if (
      targetsOf(entry.recipient, self, row).length === 0 &&
      (row.owed !== undefined || account === self.account)
    )
      return draft.remove('outbox', row.seq);
    if (troubles.size === 0) return failRow(draft, row, 'device-unknown', context);
    if ([...troubles.values()].includes('keys-invalid')) return failRow(draft, row, 'keys-invalid', context);
    // The relay may have removed who it has no prekeys of.
    await forgetKeys(draft, account);
    return lanes.pause(laneOf(row), [...troubles.values()].includes('no-prekeys') ? 0 : AWAY_SECONDS);
  };

  /** Nobody but this device is to have it: it is where it was going. */
  const settleAlone = async (rows: readonly OutboxRow[]): Promise<void> => {
    await model.change(async (draft) => {
      const self = (await draft.get('self', 'self'))!;
      for (const row of rows) {
        if (targetsOf(self, self, row).length > 0) continue;
        draft.remove('outbox', row.seq);
        await sentRow(draft, row, clock.now(), settling(self, rows.length));
      }
    });
    pump.kick();
  };

  const encrypt = async (): Promise<void> => {
    // As it is now, with the rows: a device that was added meanwhile is one to send to.
    const self = model.self!;
    const waiting = lanes
      .ready(going(), () => true)
      .filter((row) => !row.envelopes)
      .slice(0, ENCRYPT_ROWS);
    const alone = waiting.filter(
      (row) => row.conversation === self.account && targetsOf(self, self, row).length === 0,
    );
    if (alone.length > 0) return settleAlone(alone);
    const found = new Map<string, Ready | SendProblem | undefined>();
    for (const row of waiting) {
      const { conversation } = row;
      if (!found.has(conversation)) found.set(conversation, await recipients.readyFor(self, conversation));
      if (found.get(conversation) === undefined) lanes.pause(laneOf(row));
    }
    const rows = waiting.filter(({ conversation }) => found.get(conversation) !== undefined);
    if (rows.length === 0) return;
    // Sessions move on here, alone: what else changes them waits for this commit.
    await model.change(async (draft) => {
      const context = settling((await draft.get('self', 'self'))!, rows.length);
      for (const row of rows) {
        // Taken back meanwhile.
        if (!(await draft.get('outbox', row.seq))) continue;
        const entry = found.get(row.conversation)!;
        if (typeof entry === 'string') await failRow(draft, row, entry, context);
        else await encryptRow(draft, row, entry, context);
      }
    });
    pump.kick();
  };

  const send = (): void => {
    if (!connection || underWay) return;
    const rows = frameOf(
      lanes.ready(going(), ({ envelopes }) => envelopes !== undefined),
      single,
    );
    const envelopes = rows.flatMap((row) => row.envelopes as OutgoingEnvelope[]);
    if (rows.length === 0 || !connection.send(envelopes)) return;
    const cancel = clock.after(ANSWER_MS, () => {
      underWay = undefined;
      pump.kick();
    });
    underWay = { rows, results: new Map(), cancel };
  };

  const settle = async (self: SelfRow, batch: Batch): Promise<void> => {
    single = false;
    if ([...batch.results.values()].every((result) => 'at' in result)) backoff.reset();
    const waits = await model.change(async (draft) => {
      const later: [OutboxRow, number][] = [];
      for (const row of batch.rows) {
        const results = row.envelopes!.map(({ id }) => batch.results.get(id)!);
        const wait = await settleRow(draft, row, results, settling(self, batch.rows.length));
        if (wait !== undefined) later.push([row, wait]);
      }
      return later;
    });
    for (const [row, wait] of waits) lanes.pause(laneOf(model.outbox.get(row.seq) ?? row), wait);
  };

  const pump = createPump(async () => {
    const { self } = model;
    if (!self || self.registering || self.joining || !maySend()) return;
    try {
      const batch = underWay;
      if (batch && isAnswered(batch)) {
        batch.cancel();
        await settle(self, batch);
        underWay = undefined;
      }
      if (connection) await encrypt();
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
      lanes.clear();
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
