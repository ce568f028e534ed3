import type { IncomingEnvelope, OutgoingEnvelope, OutgoingPost } from '@sotto/contract/envelope';
import { RelayError } from '@sotto/contract/errors';
import type { SendResult } from '@sotto/contract/events/relay';
import type { DeviceId, EnvelopeId } from '@sotto/contract/ids';
import type pg from 'pg';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { problemOf } from '../problem.ts';
import {
  clearBodies,
  envelopeKey,
  insertEnvelopes,
  insertPlain,
  selectTimes,
  selectWaiting,
  type EnvelopeRow,
  type Page,
  type Waiting,
} from '../store/envelopes.ts';
import type { Doorbell } from './doorbell.ts';
import { type Fate, keepOrder, type SendJob, storeByHalves } from './fates.ts';
import { Gather } from './gather.ts';
import type { Inboxes } from './inboxes.ts';
import { Lane, ownBody, type Job } from './lane.ts';
import { Posts } from './posts.ts';
import type { Identity } from './tokens.ts';
import { checkWaysIn, tokenHash, type Refused, type Taker } from './way-in.ts';

/** What may wait for a commit: past it, "busy" is the answer. One at a time: two beside each other were slower, as they are smaller. */
const QUEUE = { rows: 10_000, bytes: 32 * 1024 * 1024 };
const BATCH = { rows: 1_000, bytes: 4 * 1024 * 1024 };
/** Up to so many are worth an attempt with one statement instead of two. */
const FEW = 32;
/** Ids, which are all that acks hold. */
const ACK_QUEUE = { rows: 100_000, bytes: Infinity };
const ACK_BATCH = { rows: 5_000, bytes: Infinity };
/** Reads of inboxes at a time: they must not keep every connection from the commits. */
const READS = 4;
/** A page that is read together with those of others, so many at a time. */
export const GLANCE = { limit: 32, bytes: 64 * 1024 };
const GLANCES = 64;

type Done<Result> = (result: Result) => void;

interface AckJob extends Job {
  device: DeviceId;
  ids: readonly EnvelopeId[];
  /** With the error, when they are not stored. */
  done: Done<unknown>;
}

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
  readonly #posts: Posts;
  readonly #inboxes: Inboxes;
  #last: number;
  readonly #glances: Gather<Page, Waiting>;
  #reads = 0;
  #readers: (() => void)[] = [];
  #draining = false;

  /** `last` is the newest time given out before: a clock that was set back over a restart moves on from there. */
  constructor(
    pool: pg.Pool,
    options: {
      doorbell: Doorbell;
      limits: Taker;
      inboxes: Inboxes;
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
    this.#inboxes = options.inboxes;
    const problem = (error: unknown) => this.#refusal(error);
    this.#posts = new Posts(pool, { ...options, time: () => this.time(), problem });
    this.#sends = new Lane((jobs) => this.#commit(jobs), { batch: BATCH, queue: QUEUE });
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
    const refuse = (refused: Refused) => {
      this.#metrics?.refused.inc({ code: refused.code }, items.length);
      done(items.map(({ id }) => ({ id, ...refused })));
    };
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
    this.#inboxes.close();
    this.#posts.close();
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
      const split = await this.#posts.fit(all);
      [jobs, left] = [split.fitting, split.left];
    }
    await this.#commitAll(jobs!);
    return left!;
  }

  async #commitAll(jobs: SendJob[]): Promise<void> {
    const took = this.#metrics?.commits.startTimer();
    const fates = await (
      jobs[0]!.kind === 'posts' ? this.#posts.commit(jobs) : this.#commitEnvelopes(jobs)
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
    const senders = jobs.flatMap(({ identity, items }) => items.map(() => identity));
    const plain = await this.#commitPlain(envelopes, senders);
    if (plain) return plain;
    const checked = await checkWaysIn(this.#pool, {
      limits: this.#limits,
      inboxes: this.#inboxes,
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
    senders: readonly Identity[],
  ): Promise<Fate[] | undefined> {
    if (envelopes.length > FEW) return undefined;
    if (envelopes.some(({ channel, device }) => channel !== undefined || this.#inboxes.isFull(device)))
      return undefined;
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

  #store(rows: readonly EnvelopeRow[], at: number): Promise<Fate[]> {
    const store = async (some: readonly EnvelopeRow[]) =>
      this.#fatesOf(some, { count: await insertEnvelopes(this.#pool, some, at), at });
    return storeByHalves(rows, store, (error) => this.#refusal(error));
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

  async #clear(jobs: AckJob[]): Promise<undefined> {
    let failed: unknown;
    const devices = jobs.flatMap(({ device, ids }) => ids.map(() => device));
    const ids = jobs.flatMap((job) => job.ids);
    try {
      const posts = await clearBodies(this.#pool, { devices, ids }, this.#now());
      this.#metrics?.acknowledged.inc(ids.length);
      if (posts.length > 0) this.#posts.drop(posts);
      this.#inboxes.look(jobs.map(({ device }) => device));
    } catch (error) {
      failed = error;
    }
    for (const { done } of jobs) done(failed);
  }
}
