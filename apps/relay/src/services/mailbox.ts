import { hash } from 'node:crypto';
import type { IncomingEnvelope, OutgoingEnvelope, OutgoingPost } from '@sotto/contract/envelope';
import { RelayError, type ErrorCode } from '@sotto/contract/errors';
import type { SendResult } from '@sotto/contract/events/relay';
import type { DeviceId, EnvelopeId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type pg from 'pg';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { problemOf } from '../problem.ts';
import { isOutage } from '../store/database.ts';
import {
  clearBodies,
  countRequests,
  deletePosts,
  envelopeKey,
  insertEnvelopes,
  selectMemberships,
  selectRecipients,
  selectTimes,
  selectWaiting,
  type EnvelopeRow,
  type Recipient,
} from '../store/envelopes.ts';
import { insertPosts, selectPostDevices, type PostFate, type PostRow } from '../store/posts.ts';
import type { Doorbell } from './doorbell.ts';
import { Lane, type Job } from './lane.ts';
import type { LimitKind } from './limits.ts';
import type { Identity } from './tokens.ts';

/** Commits that run beside each other; a device's envelopes go through one of them. Two were slower: they are smaller. */
const LANES = 1;
/** What may wait for a commit, in each lane: past it, "busy" is the answer. */
const QUEUE = { rows: 10_000, bytes: 32 * 1024 * 1024 };
const BATCH = { rows: 1_000, bytes: 4 * 1024 * 1024 };
/** Ids, which are all that acks hold. */
const ACK_QUEUE = { rows: 100_000, bytes: Infinity };
const ACK_BATCH = { rows: 5_000, bytes: Infinity };
/** Reads of inboxes at a time: they must not keep every connection from the commits. */
const READS = 4;

/** Throws when there is too much of something. */
export interface Taker {
  take(kind: LimitKind, key: string, points?: number): void;
}

type Done<Result> = (result: Result) => void;

interface SendJob extends Job {
  identity: Identity;
  items: readonly (OutgoingEnvelope | OutgoingPost)[];
  done: Done<SendResult[]>;
}

interface AckJob extends Job {
  device: DeviceId;
  ids: readonly EnvelopeId[];
  /** With the error, when they are not stored. */
  done: Done<unknown>;
}

type Refused = { code: ErrorCode; retryAfter?: number };
type Fate = Refused | { at: number; fresh?: boolean };

/** What the relay knows of a delivery token. */
export const tokenHash = (token: string): string =>
  hash('sha256', Buffer.from(token, 'base64url'), 'base64url' as 'base64');

/** Takes sealed messages in, keeps them until their device has them, and knows no sender. */
export class Mailbox {
  readonly #pool: pg.Pool;
  readonly #doorbell: Doorbell;
  readonly #limits: Taker;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #metrics: Metrics | undefined;
  readonly #lanes: Lane<SendJob>[];
  readonly #acks: Lane<AckJob>;
  #last: number;
  #reads = 0;
  #readers: (() => void)[] = [];
  #acked = new Set<string>();
  #dropping = false;
  #draining = false;

  /** `last` is the newest time given out before: a clock that was set back over a restart moves on from there. */
  constructor(
    pool: pg.Pool,
    options: {
      doorbell: Doorbell;
      limits: Taker;
      now: () => number;
      last: number;
      log: Logger;
      metrics?: Metrics;
    },
  ) {
    this.#pool = pool;
    this.#last = options.last;
    this.#doorbell = options.doorbell;
    this.#limits = options.limits;
    this.#now = options.now;
    this.#log = options.log;
    this.#metrics = options.metrics;
    this.#lanes = Array.from(
      { length: LANES },
      () => new Lane((jobs) => this.#commit(jobs), { batch: BATCH, queue: QUEUE }),
    );
    this.#acks = new Lane((jobs) => this.#clear(jobs), { batch: ACK_BATCH, queue: ACK_QUEUE });
  }

  /** The fate of each, envelopes first, in their order, once it is durable. Rejects nothing. */
  async accept(
    identity: Identity,
    { envelopes, posts }: { envelopes: readonly OutgoingEnvelope[]; posts: readonly OutgoingPost[] },
  ): Promise<SendResult[]> {
    const submit = (kind: SendJob['kind'], items: SendJob['items']) =>
      new Promise<SendResult[]>((resolve) => {
        if (items.length === 0) resolve([]);
        else this.submit(identity, kind, items, resolve);
      });
    return (await Promise.all([submit('envelopes', envelopes), submit('posts', posts)])).flat();
  }

  /** The same for one kind; `done` is called with all others of the same commit in one go, or at once when it is refused. */
  submit(
    identity: Identity,
    kind: SendJob['kind'],
    items: readonly (OutgoingEnvelope | OutgoingPost)[],
    done: Done<SendResult[]>,
  ): void {
    let bytes = 0;
    for (const { body } of items) bytes += body.length;
    const refuse = (refused: Refused) => done(items.map(({ id }) => ({ id, ...refused })));
    if (this.#draining) return refuse({ code: 'busy', retryAfter: 1 });
    try {
      this.#limits.take('send', identity.device, items.length);
      this.#limits.take('sendBytes', identity.device, bytes);
    } catch (error) {
      return refuse(this.#refusal(error));
    }
    const { device } = identity;
    const lane = this.#lanes[(device.charCodeAt(0) + device.charCodeAt(1)) % LANES]!;
    if (!lane.add({ sender: device, kind, rows: items.length, bytes, identity, items, done }))
      refuse({ code: 'busy', retryAfter: 1 });
  }

  /** Never goes back and never stands still: it is the order on every screen, and clocks step back. */
  time(): number {
    this.#last = Math.max(this.#now(), this.#last + 1);
    return this.#last;
  }

  /** The first that wait for a device; see `selectWaiting`. */
  async waiting(device: DeviceId, options: Parameters<typeof selectWaiting>[2]) {
    if (this.#reads >= READS) await new Promise<void>((resolve) => void this.#readers.push(resolve));
    this.#reads += 1;
    try {
      return await selectWaiting(this.#pool, device, options);
    } finally {
      this.#reads -= 1;
      this.#readers.shift()?.();
    }
  }

  /** The device has these. Ids of others, unknown and repeated ones are ignored. */
  acknowledge(device: DeviceId, ids: readonly EnvelopeId[]): Promise<void> {
    return new Promise((resolve, reject) =>
      this.submitAcks(device, ids, (error) => (error === undefined ? resolve() : reject(error as Error))),
    );
  }

  submitAcks(device: DeviceId, ids: readonly EnvelopeId[], done: Done<unknown>): void {
    const job: AckJob = { sender: device, kind: 'acks', rows: ids.length, bytes: 0, device, ids, done };
    if (!this.#acks.add(job)) done(new RelayError('busy'));
  }

  /** Envelopes, posts and acks that wait to be stored. */
  get queued(): number {
    return [...this.#lanes, this.#acks].reduce((sum, lane) => sum + lane.rows, 0);
  }

  /** Takes nothing in any more: "busy" is the answer. Resolves when all that was is stored or refused. */
  drain(): Promise<void> {
    this.#draining = true;
    return this.idle();
  }

  /** Resolves when all that was taken in is stored or refused. */
  async idle(): Promise<void> {
    await Promise.all([...this.#lanes.map((lane) => lane.idle()), this.#acks.idle()]);
  }

  #refusal(error: unknown): Refused {
    const { code, retryAfter } = problemOf(error, this.#log);
    return { code, ...(retryAfter !== undefined && { retryAfter }) };
  }

  async #commit(jobs: SendJob[]): Promise<void> {
    const took = this.#metrics?.commits.startTimer();
    const fates = await (
      jobs[0]!.kind === 'posts' ? this.#commitPosts(jobs) : this.#commitEnvelopes(jobs)
    ).catch((error: unknown): Fate[] => {
      const refused = this.#refusal(error);
      return jobs.flatMap(({ items }) => items.map(() => refused));
    });
    took?.();
    this.#count(fates);
    let n = 0;
    for (const { items, done } of jobs) {
      done(
        items.map(({ id }): SendResult => {
          const fate = fates[n++]!;
          return 'at' in fate ? { id, at: fate.at } : { id, ...fate };
        }),
      );
    }
  }

  #count(fates: readonly Fate[]): void {
    if (!this.#metrics) return;
    let accepted = 0;
    for (const fate of fates)
      if ('at' in fate) accepted += 1;
      else this.#metrics.refused.inc({ code: fate.code });
    this.#metrics.accepted.inc(accepted);
  }

  async #commitEnvelopes(jobs: SendJob[]): Promise<Fate[]> {
    const envelopes = jobs.flatMap(({ items }) => items as OutgoingEnvelope[]);
    const checked = await this.#check(jobs, envelopes);
    const rows: EnvelopeRow[] = [];
    const refused: OutgoingEnvelope[] = [];
    for (const [n, envelope] of envelopes.entries()) {
      const verdict = checked[n]!;
      if (typeof verdict === 'boolean') {
        const { device, id, body } = envelope;
        rows.push({ device, id, body, request: verdict });
      } else if (verdict.code !== 'device-unknown') refused.push(envelope);
    }
    // What was accepted stays accepted, whatever changed since.
    const known = refused.length > 0 ? await selectTimes(this.#pool, refused) : undefined;
    const stored = rows.length > 0 ? await this.#store(rows, this.time()) : [];
    this.#announce(rows, stored);
    let n = 0;
    return envelopes.map((envelope, index) => {
      const verdict = checked[index]!;
      if (typeof verdict === 'boolean') return stored[n++]!;
      const at = known?.get(envelopeKey(envelope));
      return at === undefined ? verdict : { at };
    });
  }

  /** For each envelope: refused, or whether it is a request. */
  async #check(jobs: SendJob[], envelopes: readonly OutgoingEnvelope[]): Promise<(Refused | boolean)[]> {
    const recipients = await selectRecipients(this.#pool, [
      ...new Set(envelopes.map(({ device }) => device)),
    ]);
    const senders = jobs.flatMap(({ identity, items }) => items.map(() => identity.account));
    const inChannel = await this.#membershipsOf(envelopes, senders, recipients);
    const strangers = new Set<DeviceId>();
    const verdicts = envelopes.map(({ device, head, token, channel }, n): Refused | boolean => {
      const recipient = recipients.get(device);
      const account = senders[n]!;
      if (!recipient) return { code: 'device-unknown' };
      if (recipient.head !== head) return { code: 'stale-devices' };
      const invited =
        recipient.account === account ||
        (channel !== undefined &&
          inChannel.has(channel + account) &&
          inChannel.has(channel + recipient.account)) ||
        (token !== undefined && recipient.delivery === tokenHash(token));
      if (!invited) strangers.add(device);
      return !invited;
    });
    if (strangers.size === 0) return verdicts;
    const waiting = await countRequests(this.#pool, [...strangers]);
    return verdicts.map((verdict, n) => {
      if (verdict !== true) return verdict;
      const { device } = envelopes[n]!;
      const count = waiting.get(device) ?? 0;
      if (count >= LIMITS.requestsPerDevice) return { code: 'requests-full' };
      try {
        this.#limits.take('strangers', senders[n]!);
      } catch (error) {
        return this.#refusal(error);
      }
      waiting.set(device, count + 1);
      return true;
    });
  }

  async #membershipsOf(
    envelopes: readonly OutgoingEnvelope[],
    senders: readonly Identity['account'][],
    recipients: ReadonlyMap<DeviceId, Recipient>,
  ): Promise<Set<string>> {
    const pairs = new Map<string, Parameters<typeof selectMemberships>[1][number]>();
    for (const [n, { channel, device }] of envelopes.entries()) {
      const recipient = recipients.get(device);
      if (channel === undefined || !recipient) continue;
      for (const account of [senders[n]!, recipient.account])
        pairs.set(channel + account, { channel, account });
    }
    return pairs.size > 0 ? selectMemberships(this.#pool, [...pairs.values()]) : new Set();
  }

  /** Whatever is wrong with one row is not the others' fault: a batch that fails is tried again by halves. */
  async #halved<Row>(
    rows: readonly Row[],
    store: (rows: readonly Row[]) => Promise<Fate[]>,
  ): Promise<Fate[]> {
    try {
      return await store(rows);
    } catch (error) {
      const refused = this.#refusal(error);
      if (rows.length === 1 || refused.code !== 'internal') return rows.map(() => refused);
      const middle = rows.length >> 1;
      return [
        ...(await this.#halved(rows.slice(0, middle), store)),
        ...(await this.#halved(rows.slice(middle), store)),
      ];
    }
  }

  #store(rows: readonly EnvelopeRow[], at: number): Promise<Fate[]> {
    return this.#halved(rows, async (some) => {
      const count = await insertEnvelopes(this.#pool, some, at);
      if (count === some.length) return some.map(() => ({ at, fresh: true }));
      const times = await selectTimes(this.#pool, some);
      const seen = new Set<string>();
      return some.map((row) => {
        const key = envelopeKey(row);
        const first = times.get(key);
        // Deleted with its device since.
        if (first === undefined) return { code: 'device-unknown' };
        const fresh = first === at && !seen.has(key);
        seen.add(key);
        return { at: first, fresh };
      });
    });
  }

  #announce(rows: readonly EnvelopeRow[], fates: readonly Fate[]): void {
    const elsewhere = this.#doorbell.elsewhere && new Set<DeviceId>();
    for (const [n, { device, id, body, request }] of rows.entries()) {
      const fate = fates[n]!;
      elsewhere?.add(device);
      const listeners = this.#doorbell.at(device);
      if (!listeners) continue;
      if ('code' in fate || !fate.fresh) {
        // It may have been stored, now or before, without anybody being told.
        for (const listener of listeners) listener.ring();
        continue;
      }
      const envelope = { id, at: fate.at, ...(request && { request }), body } as IncomingEnvelope;
      for (const listener of listeners) listener.fresh(envelope);
    }
    if (elsewhere && elsewhere.size > 0) this.#doorbell.elsewhere?.([...elsewhere]);
  }

  async #commitPosts(jobs: SendJob[]): Promise<Fate[]> {
    const rows = new Map<string, PostRow>();
    const keys = jobs.flatMap(({ identity: { device, account }, items }) =>
      (items as OutgoingPost[]).map((post) => {
        const key = device + post.id;
        if (!rows.has(key)) rows.set(key, { device, account, ...post });
        return key;
      }),
    );
    const at = this.time();
    const fates = await this.#halved([...rows.values()], async (some) => {
      const stored = await insertPosts(this.#pool, some, at);
      return Promise.all(some.map((row, n) => this.#announcePost(row, stored[n]!, at)));
    });
    const byKey = new Map([...rows.keys()].map((key, n) => [key, fates[n]!]));
    return keys.map((key) => byKey.get(key)!);
  }

  #announcePost(row: PostRow, fate: PostFate, at: number): Fate | Promise<Fate> {
    if ('code' in fate) return fate;
    if ('at' in fate || fate.stored < fate.devices.length) return this.#repeated(row, fate, at);
    const { devices } = fate;
    const { id, channel, body } = row;
    const envelope = { id, at, channel, body } as IncomingEnvelope;
    for (const device of devices)
      for (const listener of this.#doorbell.at(device) ?? []) listener.fresh(envelope);
    this.#doorbell.elsewhere?.([...devices]);
    return { at };
  }

  /** It was stored before, or by another relay at the same moment, perhaps without anybody being told. */
  async #repeated(row: PostRow, fate: Exclude<PostFate, { code: ErrorCode }>, at: number): Promise<Fate> {
    if ('post' in fate && fate.stored === 0) await deletePosts(this.#pool, [fate.post]);
    this.#doorbell.ring(await selectPostDevices(this.#pool, row));
    if ('at' in fate) return fate;
    const first = await selectTimes(this.#pool, [row]);
    return { at: first.get(envelopeKey(row)) ?? at };
  }

  async #clear(jobs: AckJob[]): Promise<void> {
    let failed: unknown;
    const devices = jobs.flatMap(({ device, ids }) => ids.map(() => device));
    const ids = jobs.flatMap((job) => job.ids);
    try {
      const posts = await clearBodies(this.#pool, { devices, ids }, this.#now());
      this.#metrics?.acknowledged.inc(ids.length);
      for (const post of posts) this.#acked.add(post);
      if (posts.length > 0) void this.#dropPosts();
    } catch (error) {
      failed = error;
    }
    for (const { done } of jobs) done(failed);
  }

  /** Apart from the acks, and after their commit: of two that acknowledge the last two rows one sees both gone. */
  async #dropPosts(): Promise<void> {
    if (this.#dropping) return;
    this.#dropping = true;
    try {
      while (this.#acked.size > 0) {
        const posts = [...this.#acked];
        this.#acked.clear();
        await deletePosts(this.#pool, posts);
      }
    } catch (error) {
      // The sweep finds them.
      if (!isOutage(error)) this.#log.warn({ error }, 'could not delete posts');
    } finally {
      this.#dropping = false;
    }
  }
}
