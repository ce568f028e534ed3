import type { IncomingEnvelope, OutgoingEnvelope, OutgoingPost } from '@sotto/contract/envelope';
import { RelayError, type ErrorCode } from '@sotto/contract/errors';
import type { SendResult } from '@sotto/contract/events/relay';
import type { AccountId, ChannelId, DeviceId, EnvelopeId } from '@sotto/contract/ids';
import type pg from 'pg';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { problemOf } from '../problem.ts';
import { isOutage } from '../store/database.ts';
import {
  clearBodies,
  deletePosts,
  envelopeKey,
  insertEnvelopes,
  insertPlain,
  selectTimes,
  selectWaiting,
  type EnvelopeRow,
  type Page,
  type Waiting,
} from '../store/envelopes.ts';
import { insertPosts, selectHeld, selectPostDevices, type PostFate, type PostRow } from '../store/posts.ts';
import { Copies } from './copies.ts';
import type { Doorbell } from './doorbell.ts';
import { Gather } from './gather.ts';
import { Lane, ownBody, type Job } from './lane.ts';
import type { Identity } from './tokens.ts';
import { checkWaysIn, tokenHash, type Refused, type Taker } from './way-in.ts';

/** What may wait for a commit: past it, "busy" is the answer. One at a time: two beside each other were slower, as they are smaller. */
const QUEUE = { rows: 10_000, bytes: 32 * 1024 * 1024 };
const BATCH = { rows: 1_000, bytes: 4 * 1024 * 1024 };
/** Up to so many are worth an attempt with one statement instead of two. */
const FEW = 32;
/** As PostgreSQL names it. */
const LOCK_TIMEOUT = '55P03';
/** Ids, which are all that acks hold. */
const ACK_QUEUE = { rows: 100_000, bytes: Infinity };
const ACK_BATCH = { rows: 5_000, bytes: Infinity };
/** Reads of inboxes at a time: they must not keep every connection from the commits. */
const READS = 4;
/** A page that is read together with those of others, so many at a time. */
export const GLANCE = { limit: 32, bytes: 64 * 1024 };
const GLANCES = 64;

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

type Fate = Refused | { at: number; fresh?: boolean };

/** Refusals of what may pass when it is sent again. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['busy', 'too-many-requests', 'requests-full', 'no-space']);

/** What follows a refusal that may pass, in one event and to one device, is refused alike: sent again, both are in order. */
const keepOrder = (
  jobs: readonly SendJob[],
  verdicts: (Refused | boolean)[],
  isKnown: (envelope: OutgoingEnvelope) => boolean,
): void => {
  let n = -1;
  for (const { items } of jobs) {
    const held = new Map<DeviceId, Refused>();
    for (const envelope of items as OutgoingEnvelope[]) {
      n += 1;
      if (isKnown(envelope)) continue;
      const verdict = verdicts[n]!;
      const before = held.get(envelope.device);
      if (before) verdicts[n] = before;
      else if (typeof verdict === 'object' && PASSING.has(verdict.code)) held.set(envelope.device, verdict);
    }
  }
};

/** Takes sealed messages in, keeps them until their device has them, and knows no sender. */
export class Mailbox {
  readonly #pool: pg.Pool;
  readonly #doorbell: Doorbell;
  readonly #limits: Taker;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #metrics: Metrics | undefined;
  readonly #sends: Lane<SendJob>;
  readonly #acks: Lane<AckJob>;
  readonly #copies: Copies;
  /** Channels that posts waited for in vain, as far as nobody has looked since. */
  readonly #held = new Set<ChannelId>();
  #last: number;
  readonly #glances: Gather<Page, Waiting>;
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
    this.#glances = new Gather((pages: Page[]) => selectWaiting(pool, pages), GLANCES);
    this.#last = options.last;
    this.#doorbell = options.doorbell;
    this.#limits = options.limits;
    this.#now = options.now;
    this.#log = options.log;
    this.#metrics = options.metrics;
    this.#sends = new Lane((jobs) => this.#commit(jobs), { batch: BATCH, queue: QUEUE });
    this.#copies = new Copies(pool, options.now);
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
    const { device, account } = identity;
    const job = { sender: device, owner: account, kind, rows: items.length, bytes, identity, done };
    if (!this.#sends.add({ ...job, items: items.map(ownBody) })) refuse({ code: 'busy', retryAfter: 1 });
  }

  /** Never goes back and never stands still: it is the order on every screen, and clocks step back. */
  time(): number {
    this.#last = Math.max(this.#now(), this.#last + 1);
    return this.#last;
  }

  /** The first that wait for a device; see `selectWaiting`. Small pages of one moment are read together. */
  async waiting(device: DeviceId, options: Omit<Page, 'device'>): Promise<Waiting> {
    const page = { device, ...options };
    if (page.limit <= GLANCE.limit && page.bytes <= GLANCE.bytes) return this.#glances.ask(page);
    if (this.#reads >= READS) await new Promise<void>((resolve) => void this.#readers.push(resolve));
    this.#reads += 1;
    try {
      return (await selectWaiting(this.#pool, [page]))[0]!;
    } finally {
      this.#reads -= 1;
      this.#readers.shift()?.();
    }
  }

  /** The device has these. Ids of others, unknown and repeated ones are ignored. */
  async acknowledge(device: DeviceId, ids: readonly EnvelopeId[]): Promise<void> {
    this.#limits.take('ack', device, ids.length);
    await new Promise<void>((resolve, reject) =>
      this.submitAcks(device, ids, (error) => (error === undefined ? resolve() : reject(error as Error))),
    );
  }

  submitAcks(device: DeviceId, ids: readonly EnvelopeId[], done: Done<unknown>): void {
    const job: AckJob = {
      sender: device,
      owner: device,
      kind: 'acks',
      rows: ids.length,
      bytes: 0,
      device,
      ids,
      done,
    };
    if (!this.#acks.add(job)) done(new RelayError('busy'));
  }

  /** Envelopes, posts and acks that wait to be stored. */
  get queued(): number {
    return this.#sends.rows + this.#acks.rows;
  }

  /** Takes nothing in any more: "busy" is the answer. Resolves when all that was is stored or refused. */
  drain(): Promise<void> {
    this.#draining = true;
    return this.idle();
  }

  /** Resolves when all that was taken in is stored or refused. */
  async idle(): Promise<void> {
    await Promise.all([this.#sends.idle(), this.#acks.idle()]);
  }

  #refusal(error: unknown): Refused {
    const { code, retryAfter } = problemOf(error, this.#log);
    return { code, ...(retryAfter !== undefined && { retryAfter }) };
  }

  /** Returns those that have to wait for the next commit. */
  async #commit(all: SendJob[]): Promise<readonly SendJob[]> {
    let [jobs, left]: SendJob[][] = [all, []];
    if (all[0]!.kind === 'posts') {
      const split = await this.#copies
        .fit(all as (SendJob & { items: readonly OutgoingPost[] })[])
        // What is wrong shows when they are stored.
        .catch(() => ({ fitting: all, left: [] }));
      [jobs, left] = [split.fitting, split.left];
    }
    await this.#commitAll(jobs!);
    return left!;
  }

  async #commitAll(jobs: SendJob[]): Promise<void> {
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
    const senders = jobs.flatMap(({ identity, items }) => items.map(() => identity.account));
    const plain = await this.#commitPlain(envelopes, senders);
    if (plain) return plain;
    const checked = await checkWaysIn(this.#pool, this.#limits, {
      envelopes,
      senders,
      problem: (error) => this.#refusal(error),
    });
    // What was accepted stays accepted, whatever changed since.
    const changed = checked.some(
      (verdict) => typeof verdict === 'object' && verdict.code !== 'device-unknown',
    );
    const known = changed ? await selectTimes(this.#pool, envelopes) : undefined;
    keepOrder(jobs, checked, (envelope) => known?.has(envelopeKey(envelope)) ?? false);
    const rows: EnvelopeRow[] = [];
    for (const [n, { device, id, body }] of envelopes.entries()) {
      const request = checked[n]!;
      if (typeof request === 'boolean') rows.push({ device, id, body, request });
    }
    const stored = rows.length > 0 ? await this.#store(rows, this.time()) : [];
    this.#announce(rows, stored);
    let n = 0;
    return envelopes.map((envelope, index) => {
      const verdict = checked[index]!;
      if (typeof verdict === 'boolean') return stored[n++]!;
      const at = verdict.code === 'device-unknown' ? undefined : known?.get(envelopeKey(envelope));
      return at === undefined ? verdict : { at };
    });
  }

  /** One statement for a few that need no more than a look at who they are for; undefined when it has to be two. */
  async #commitPlain(
    envelopes: readonly OutgoingEnvelope[],
    senders: readonly AccountId[],
  ): Promise<Fate[] | undefined> {
    if (envelopes.length > FEW || envelopes.some(({ channel }) => channel !== undefined)) return undefined;
    const rows = envelopes.map(({ device, id, body, head, token }, n) => {
      const hash = Buffer.from(token === undefined ? '' : tokenHash(token), 'base64url');
      return { device, id, body, head, sender: senders[n]!, hash, request: false };
    });
    const at = this.time();
    // What goes wrong goes wrong again, or is found to be stored, by the longer way.
    const count = await insertPlain(this.#pool, rows, at).catch(() => undefined);
    if (count === undefined) return undefined;
    const fates = await this.#fatesOf(rows, { count, at });
    this.#announce(rows, fates);
    return fates;
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
      const fates = await this.#halved(rows.slice(0, middle), store);
      // Nothing is stored behind what may be sent again.
      const passing = fates.find((fate) => 'code' in fate && PASSING.has(fate.code));
      return [
        ...fates,
        ...(passing ? rows.slice(middle).map(() => passing) : await this.#halved(rows.slice(middle), store)),
      ];
    }
  }

  #store(rows: readonly EnvelopeRow[], at: number): Promise<Fate[]> {
    return this.#halved(rows, async (some) =>
      this.#fatesOf(some, { count: await insertEnvelopes(this.#pool, some, at), at }),
    );
  }

  /** Of rows that were stored at that time, but for those that were there before. */
  async #fatesOf(
    rows: readonly EnvelopeRow[],
    { count, at }: { count: number; at: number },
  ): Promise<Fate[]> {
    if (count === rows.length) return rows.map(() => ({ at, fresh: true }));
    const times = await selectTimes(this.#pool, rows);
    const seen = new Set<string>();
    return rows.map((row) => {
      const key = envelopeKey(row);
      const first = times.get(key);
      // Deleted with its device since.
      if (first === undefined) return { code: 'device-unknown' };
      const fresh = first === at && !seen.has(key);
      seen.add(key);
      return { at: first, fresh };
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
    const keys = jobs.flatMap(({ identity: { device, account }, items }) => {
      let held: Refused | undefined;
      return (items as OutgoingPost[]).map((post) => {
        held ??= this.#tooMany(account, post);
        if (held) return held;
        const key = device + post.id;
        if (!rows.has(key)) rows.set(key, { device, account, ...post });
        return key;
      });
    });
    const at = this.time();
    const fates =
      rows.size > 0 ? await this.#halved([...rows.values()], (some) => this.#storePosts(some, at)) : [];
    const byKey = new Map([...rows.keys()].map((key, n) => [key, fates[n]!]));
    return keys.map((key) => (typeof key === 'string' ? byKey.get(key)! : key));
  }

  #tooMany(account: AccountId, { channel }: OutgoingPost): Refused | undefined {
    try {
      this.#limits.take('copies', account, this.#copies.of(channel));
      return undefined;
    } catch (error) {
      return this.#refusal(error);
    }
  }

  /** Those of channels that are locked for longer than a moment are refused, and nobody waits for them again. */
  async #storePosts(rows: readonly PostRow[], at: number): Promise<Fate[]> {
    const suspects = [...new Set(rows.map(({ channel }) => channel))].filter((one) => this.#held.has(one));
    if (suspects.length > 0) {
      const held = await selectHeld(this.#pool, suspects);
      for (const channel of suspects) if (!held.has(channel)) this.#held.delete(channel);
    }
    const free = rows.filter(({ channel }) => !this.#held.has(channel));
    const stored = free.length > 0 ? await this.#insertPosts(free, at) : [];
    // One of them is locked, and is known by now.
    if (!stored) return this.#storePosts(rows, at);
    let n = 0;
    return rows.map(({ channel }) =>
      this.#held.has(channel) ? { code: 'busy', retryAfter: 1 } : stored[n++]!,
    );
  }

  /** Undefined when one of their channels was waited for in vain. */
  async #insertPosts(rows: readonly PostRow[], at: number): Promise<Fate[] | undefined> {
    let stored: PostFate[];
    try {
      stored = await insertPosts(this.#pool, rows, at);
    } catch (error) {
      if ((error as { code?: unknown }).code !== LOCK_TIMEOUT) throw error;
      const held = await selectHeld(this.#pool, [...new Set(rows.map(({ channel }) => channel))]);
      for (const channel of held) this.#held.add(channel);
      // It was something else, or has just ended.
      if (held.size === 0) return rows.map(() => ({ code: 'busy', retryAfter: 1 }));
      return undefined;
    }
    const rung = new Set<DeviceId>();
    const announced = rows.map((row, n) => this.#announcePost(row, stored[n]!, { at, rung }));
    if (rung.size > 0) this.#doorbell.elsewhere?.([...rung]);
    return Promise.all(announced);
  }

  /** `rung` gathers who has to be told elsewhere. */
  #announcePost(
    row: PostRow,
    fate: PostFate,
    { at, rung }: { at: number; rung: Set<DeviceId> },
  ): Fate | Promise<Fate> {
    if ('code' in fate) return fate;
    if ('at' in fate || fate.stored < fate.devices.length) return this.#repeated(row, fate, at);
    const { devices } = fate;
    const { id, channel, body } = row;
    const envelope = { id, at, channel, body } as IncomingEnvelope;
    for (const device of devices) {
      rung.add(device);
      for (const listener of this.#doorbell.at(device) ?? []) listener.fresh(envelope);
    }
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

  async #clear(jobs: AckJob[]): Promise<undefined> {
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
