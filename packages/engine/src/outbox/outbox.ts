import type { EnvelopeId } from '@sotto/contract/ids';
import { type ErrorCode, RelayError } from '@sotto/contract/errors';
import type { SendResult } from '@sotto/contract/events/relay';
import { RESEND_LIFETIME } from '@sotto/crypto/limits';
import type { Directory } from '../account/directory.ts';
import { createBackoff, type Clock } from '../clock.ts';
import type { Draft, Model } from '../model.ts';
import type { Connection, Transport } from '../ports.ts';
import { createHands, type Hands } from '../groups/hand-over.ts';
import { encryptPost } from '../groups/posting.ts';
import { createPump } from '../pump.ts';
import type { OutboxRow, SelfRow, SendProblem } from '../rows.ts';
import { isOpen } from './delivered.ts';
import { encryptFor, isWritable, type Recipient, stands, targetsOf } from './encrypt.ts';
import { frameOf, isAnswered, isReady, LARGEST_FRAME, partsOf } from './frame.ts';
import { createLanes, laneOf } from './lanes.ts';
import { createLookups } from './lookups.ts';
import { createRecipients, forgetKeys, isStopped, noteTroubles, type Ready } from './recipients.ts';
import { AWAY_SECONDS, createTimes, failRow, sentRow, settleRow, type Settling } from './settle.ts';

/**
 * What is never answered is sent again after this long, in ms: far beyond a busy relay's worst. On a slow link each time after
 * twice as long, and less of it at once.
 */
const ANSWER_MS = 20_000;
const LONGEST_ANSWER_MS = 600_000;
const SMALLEST_FRAME = 16 * 1024;
/** Rows encrypted and committed at once. */
const ENCRYPT_ROWS = 50;
/** Rows that are encrypted in the commit that puts them here. Of more the person would wait for it. */
const PREPARED_ROWS = 8;
/** Posts whose way back is known. */
const REMEMBERED_POSTS = 1000;
/** Refusals that may be of what is under way, for good. */
const OF_FRAMES: readonly ErrorCode[] = ['bad-request', 'body-too-large'];

export interface Outbox {
  /**
   * Encrypts what `draft` puts on its way, as far as it could leave at once: it leaves after one commit instead of two. What does
   * not succeed stays as it was put, and is tried like all else.
   */
  prepare(draft: Draft): Promise<void>;
  /** Something new waits, or what it waited for may be there. */
  kick(): void;
  /** Whether this device posted it a while ago: what is posted comes back to whoever posted it. */
  hasPosted(id: string): boolean;
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
  /** More of what waited at the relay is coming: receipts wait until they speak of all of it. */
  isCatchingUp: () => boolean;
  /** The log of a group has to be looked at. */
  onGroup: (group: string) => void;
  /** A channel key of a group is missing. */
  onKeysMissing: (group: string) => void;
  /** Told of errors of the store; the outbox tries again by itself. */
  onError: (error: unknown) => void;
}

/** What is under way: the ids that wait for an answer, of these rows. */
interface Batch {
  rows: readonly OutboxRow[];
  ids: readonly string[];
  cancel: () => void;
}

/** Whether the keys of somebody are those that were looked up. */
const isSame = (latest: Recipient, found: Recipient): boolean =>
  latest.fetchedAt === found.fetchedAt &&
  latest.head === found.head &&
  latest.changed === undefined &&
  latest.doubts === undefined;

const devicesOf = (
  account: string,
  entry: Ready | SendProblem | undefined,
): [account: string, device: string][] =>
  entry === undefined || typeof entry === 'string'
    ? []
    : entry.recipient.devices.map(({ device }) => [account, device]);

/** The rows that are answered. One whose fate is not known holds back those behind it: they would take a place ahead of it. */
const answeredInOrder = (
  rows: Iterable<OutboxRow>,
  answers: ReadonlyMap<string, SendResult>,
): OutboxRow[] => {
  const held = new Set<string>();
  return [...rows].filter((row) => {
    if (!isReady(row) || held.has(laneOf(row))) return false;
    if (isAnswered(row, answers)) return true;
    held.add(laneOf(row));
    return false;
  });
};

/** A key of a group that is for every device of somebody, and has reached none. */
const isUndelivered = ({ hand, to, done = [] }: OutboxRow): boolean =>
  hand !== undefined && to === undefined && done.length === 0;

/**
 * The only place that sends and the only one that tries again. A row is encrypted once for every device that it is for, its
 * bytes are committed, and those bytes go out until the relay tells their fate. One batch is under way at a time, so what
 * was written first is accepted first.
 */
export const createOutbox = (options: Options): Outbox => {
  const { model, clock, maySend, isCatchingUp, onGroup, onKeysMissing, onError } = options;
  const recipients = createRecipients(options);
  const backoff = createBackoff(500, 30_000);
  const times = createTimes(clock.now);
  const lanes = createLanes(clock, () => pump.kick());
  const lookups = createLookups({
    find: recipients.readyFor,
    onNone: (account) => {
      for (const row of model.outbox.values()) {
        if (row.conversation === account && !isReady(row)) lanes.pause(laneOf(row));
      }
    },
    onDone: () => pump.kick(),
    onError,
  });
  let connection: Connection | undefined;
  let underWay: Batch | undefined;
  let cancelRetry: (() => void) | undefined;
  /** One row at a time after a refusal of a whole batch, until it is known which row was meant. */
  let single = false;
  /** Of rows that are not settled: what was sent of them, and what the relay said. */
  const sent = new Set<string>();
  const answers = new Map<string, SendResult>();
  let patience = { wait: ANSWER_MS, most: LARGEST_FRAME };
  const posted = new Set<string>();

  const retryLater = (): void => {
    cancelRetry ??= clock.after(backoff.next(), () => {
      cancelRetry = undefined;
      pump.kick();
    });
  };

  const isGoing = (row: OutboxRow): boolean =>
    !isStopped(model, row.conversation) && !(isCatchingUp() && isOpen(row));

  const going = (): OutboxRow[] => [...model.outbox.values()].filter(isGoing);

  const settling = (self: SelfRow, settled: number): Settling => ({
    store: model.store,
    self,
    now: clock.now(),
    settled,
    times,
  });

  const fail = async (
    draft: Draft,
    row: OutboxRow,
    problem: SendProblem,
    context: Settling,
  ): Promise<void> => {
    const wait = await failRow(draft, row, problem, context);
    if (wait !== undefined) lanes.pause(laneOf({ ...row, owed: row.owed ?? context.now }), wait);
  };

  /** Encrypts one row, or settles it when there is nobody to send it to. */
  const encryptRow = async (
    draft: Draft,
    row: OutboxRow,
    entry: Ready,
    { hands, ...context }: Settling & { hands: Hands },
  ): Promise<void> => {
    const { self, now } = context;
    const { account } = entry.recipient;
    const latest = account === self.account ? self : await draft.get('contact', account);
    // Other devices, or none, since the keys were looked up: the next run sees to it.
    if (!latest || !isSame(latest, entry.recipient)) return undefined;
    const handed = await hands(row);
    const isLate = row.owed !== undefined && now >= row.owed + RESEND_LIFETIME;
    if ((row.hand && !handed) || isLate) return draft.remove('outbox', row.seq);
    if (!handed && !isWritable(row)) return fail(draft, row, 'bad-request', context);
    // What lets into their inbox may have come in this very draft.
    const to = { ...entry, recipient: latest, handed };
    const { envelopes, troubles } = await encryptFor(draft, self, to, row, now);
    const tried = [...envelopes.map(({ device }) => device), ...troubles.keys()];
    await noteTroubles(draft, latest, tried, troubles);
    if (envelopes.length > 0) return draft.put('outbox', { ...row, envelopes }, row.seq);
    const isOver = account === self.account || (row.owed !== undefined && !isUndelivered(row));
    if (targetsOf(entry.recipient, self, row).length === 0 && isOver) return draft.remove('outbox', row.seq);
    if (troubles.size === 0) return fail(draft, row, 'device-unknown', context);
    if ([...troubles.values()].includes('keys-invalid')) return fail(draft, row, 'keys-invalid', context);
    // The relay may have removed who it has no prekeys of.
    await forgetKeys(draft, account);
    // A device of one's own that is not there holds up nothing that is for it.
    const left = account === self.account ? { ...row, owed: row.owed ?? now } : row;
    if (left !== row) draft.put('outbox', left, row.seq);
    return lanes.pause(laneOf(left), [...troubles.values()].includes('no-prekeys') ? 0 : AWAY_SECONDS);
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

  const isOfGroup = ({ conversation }: OutboxRow): boolean =>
    model.conversations.get(conversation)?.group !== undefined;

  const isAlone = (self: SelfRow, row: OutboxRow): boolean =>
    row.conversation === self.account && targetsOf(self, self, row).length === 0;

  /** What of `rows` is for groups and not encrypted, where the keys that it needs have gone ahead. */
  const postsOf = (rows: readonly OutboxRow[], unsent: readonly OutboxRow[]): OutboxRow[] => {
    const handing = new Set(
      unsent.flatMap(({ hand, owed }) => (hand?.sender && owed === undefined ? [hand.group] : [])),
    );
    return rows
      .filter((row) => isOfGroup(row) && !row.post && !handing.has(row.conversation))
      .slice(0, ENCRYPT_ROWS);
  };

  /** Encrypts what is for groups, once for everybody. What keeps those of a group, of which nothing was encrypted. */
  const encryptPosts = async (
    draft: Draft,
    rows: readonly OutboxRow[],
    { renews }: { renews: boolean },
  ): Promise<Map<string, 'handed' | 'keys'>> => {
    const paused = new Map<string, 'handed' | 'keys'>();
    const self = (await draft.get('self', 'self'))!;
    const context = settling(self, rows.length);
    const outbox = [...model.outbox.values(), ...draft.putOf('outbox')];
    for (const { seq, conversation } of rows) {
      const row = await draft.get('outbox', seq);
      if (paused.has(conversation) || !row) continue;
      const done = isWritable(row)
        ? await encryptPost(draft, self, row, { outbox, now: context.now, renews })
        : { problem: 'bad-request' as const };
      if (typeof done === 'object') await fail(draft, row, done.problem, context);
      else if (done !== 'posted') paused.set(conversation, done);
    }
    return paused;
  };

  const encryptAllPosts = async (unsent: readonly OutboxRow[]): Promise<void> => {
    const rows = postsOf(unsent, unsent);
    if (rows.length === 0) return;
    const paused = await model.change((draft) => encryptPosts(draft, rows, { renews: true }));
    for (const [group, why] of paused) {
      if (why === 'handed') continue;
      lanes.pause(group);
      onKeysMissing(group);
    }
    pump.kick();
  };

  const encrypt = async (): Promise<void> => {
    // As it is now, with the rows: a device that was added meanwhile is one to send to.
    const self = model.self!;
    const unsent = lanes.ready(going(), () => true);
    await encryptAllPosts(unsent);
    const waiting = unsent.filter((row) => !isReady(row) && !isOfGroup(row));
    const alone = waiting.filter((row) => isAlone(self, row)).slice(0, ENCRYPT_ROWS);
    if (alone.length > 0) return settleAlone(alone);
    const accounts = new Set(waiting.map(({ conversation }) => conversation));
    const found = lookups.found(accounts);
    const isKnown = (account: string): boolean =>
      found.has(account) || recipients.known(self, account) !== undefined;
    const rows = waiting
      .filter(({ conversation }) => isKnown(conversation) && !lookups.isAsked(conversation))
      .slice(0, ENCRYPT_ROWS);
    const due = [...accounts].filter((account) => !isKnown(account));
    // Sessions move on here, alone: what else changes them waits for this commit.
    if (rows.length > 0) due.push(...(await model.change((draft) => encryptRows(draft, rows, found))));
    const taken = rows.filter(({ conversation }) => !due.includes(conversation));
    lookups.forget(taken.map(({ conversation }) => conversation));
    lookups.ask(self, due);
    if (taken.length > 0) pump.kick();
  };

  /** Recipients side by side, what is for one of them in order. Those for whom more is needed, to whom nothing was done. */
  const encryptRows = async (
    draft: Draft,
    rows: readonly OutboxRow[],
    found: ReadonlyMap<string, Ready | SendProblem>,
  ): Promise<string[]> => {
    const self = (await draft.get('self', 'self'))!;
    const context = settling(self, rows.length);
    const hands = createHands(draft, self, context.now);
    const accounts = [...new Set(rows.map(({ conversation }) => conversation))];
    const entryOf = (account: string): Ready | SendProblem | undefined => {
      const recipient = recipients.known(self, account);
      return found.get(account) ?? (recipient && { recipient, bundles: new Map() });
    };
    await draft.prefetch(
      'peer',
      accounts.flatMap((account) => devicesOf(account, entryOf(account))),
    );
    const encryptAll = async (account: string): Promise<boolean> => {
      const entry = entryOf(account);
      if (!entry) return false;
      const isLookedUp = typeof entry === 'string' || found.has(account);
      if (!isLookedUp && !(await stands(draft, self, entry.recipient, context.now))) return false;
      for (const { seq } of rows.filter(({ conversation }) => conversation === account)) {
        // As it is now: it may have been taken back, or hold more.
        const row = await draft.get('outbox', seq);
        if (!row) continue;
        if (typeof entry === 'string') await fail(draft, row, entry, context);
        else await encryptRow(draft, row, entry, { ...context, hands });
      }
      return true;
    };
    const done = await Promise.allSettled(accounts.map(encryptAll));
    // Not before all of them have come to their end: none drafts anything after that.
    for (const one of done) if (one.status === 'rejected') throw one.reason;
    return accounts.filter((_, at) => (done[at] as PromiseFulfilledResult<boolean>).value === false);
  };

  const send = (): void => {
    if (!connection || underWay) return;
    const rows = lanes.ready(going(), isReady);
    const { envelopes, posts, ids } = frameOf(rows, answers, { most: patience.most, single });
    if (ids.length === 0) return;
    if (envelopes.length > 0 && !connection.send(envelopes)) return;
    if (posts.length > 0 && !connection.post(posts)) return;
    for (const { id } of posts) posted.add(id);
    for (const id of [...posted].slice(0, -REMEMBERED_POSTS)) posted.delete(id);
    for (const id of ids) sent.add(id);
    const cancel = clock.after(patience.wait, () => {
      const { wait, most } = patience;
      patience = { wait: Math.min(wait * 2, LONGEST_ANSWER_MS), most: Math.max(most / 2, SMALLEST_FRAME) };
      underWay = undefined;
      pump.kick();
    });
    underWay = { rows: rows.filter((row) => partsOf(row).some(({ id }) => ids.includes(id))), ids, cancel };
  };

  const settle = async (self: SelfRow, rows: readonly OutboxRow[]): Promise<void> => {
    const stale = new Set<string>();
    const waits = await model.change(async (draft) => {
      const later: [OutboxRow, number][] = [];
      for (const row of rows) {
        const results = partsOf(row).map(({ id }) => answers.get(id)!);
        if (row.post && 'code' in results[0]!) stale.add(row.conversation);
        const wait = await settleRow(draft, row, results, settling(self, rows.length));
        if (wait !== undefined) later.push([row, wait]);
      }
      return later;
    });
    for (const { id } of rows.flatMap(partsOf)) {
      sent.delete(id);
      answers.delete(id);
    }
    for (const group of stale) onGroup(group);
    for (const [row, wait] of waits) lanes.pause(laneOf(model.outbox.get(row.seq) ?? row), wait);
  };

  /** Whose outbox it is, once it may send. */
  const sender = (): SelfRow | undefined => {
    const { self } = model;
    return self && !self.registering && !self.joining && maySend() ? self : undefined;
  };

  const pump = createPump(async () => {
    const self = sender();
    if (!self) return;
    try {
      const batch = underWay;
      if (batch?.ids.every((id) => answers.has(id))) {
        batch.cancel();
        single = false;
        if (batch.ids.every((id) => 'at' in answers.get(id)!)) backoff.reset();
        await settle(
          self,
          batch.rows.filter((row) => isAnswered(row, answers)),
        );
        underWay = undefined;
      }
      // Answered after their batch was given up: late, or ahead of a cut.
      if (!underWay && answers.size > 0) {
        const rows = answeredInOrder(model.outbox.values(), answers);
        if (rows.length > 0) await settle(self, rows);
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

  const encryptFresh = async (draft: Draft, fresh: readonly OutboxRow[]): Promise<void> => {
    const self = (await draft.get('self', 'self'))!;
    const isFresh = (row: OutboxRow): boolean => fresh.includes(row);
    const all = [...model.outbox.values(), ...fresh].filter(isGoing);
    // What has no bytes fails once it is stored, where what shows it can follow.
    const rows = lanes
      .ready(all, (row) => isReady(row) || isFresh(row))
      .filter((row) => isFresh(row) && isWritable(row));
    const unsent = lanes.ready(all, () => true);
    // A new sender key is a row for every member: nobody waits for those to be stored.
    await encryptPosts(draft, postsOf(rows, unsent), { renews: false });
    const others = rows.filter(
      (row) => !isOfGroup(row) && !isAlone(self, row) && !lookups.isAsked(row.conversation),
    );
    await encryptRows(draft, others, new Map());
  };

  return {
    async prepare(draft) {
      if (!connection || !sender()) return;
      const fresh = draft.putOf('outbox').filter(({ seq }) => !model.outbox.has(seq));
      if (fresh.length === 0 || fresh.length > PREPARED_ROWS) return;
      // What went wrong does so again where it is tried again, and is told of there.
      await draft.attempt(() => encryptFresh(draft, fresh)).catch(() => undefined);
    },
    kick: () => pump.kick(),
    hasPosted: (id) => posted.has(id),
    connected(next) {
      connection = next;
      forget();
      cancelRetry?.();
      cancelRetry = undefined;
      patience = { wait: ANSWER_MS, most: LARGEST_FRAME };
      lanes.clear();
      backoff.reset();
      pump.kick();
    },
    disconnected() {
      connection = undefined;
      forget();
    },
    accepted(results) {
      // Also of what was sent again since: whichever answer comes first counts.
      for (const result of results) if (sent.has(result.id)) answers.set(result.id, result);
      pump.kick();
    },
    refused(code) {
      const batch = underWay;
      const { retry } = new RelayError(code);
      // Of the connection, or of something else that was said over it: what is under way has an answer of its own.
      if (!batch || !(retry || OF_FRAMES.includes(code))) return;
      if (retry) {
        forget();
        return retryLater();
      }
      if (single) for (const id of batch.ids) answers.set(id, { id: id as EnvelopeId, code });
      else forget();
      single = true;
      pump.kick();
    },
    async stop() {
      connection = undefined;
      forget();
      cancelRetry?.();
      await pump.stop();
      lanes.stop();
    },
  };
};
