import { setTimeout as sleep } from 'node:timers/promises';
import type { IncomingEnvelope, OutgoingPost } from '@sotto/contract/envelope';
import type { ErrorCode } from '@sotto/contract/errors';
import type { AccountId, ChannelId, DeviceId } from '@sotto/contract/ids';
import type pg from 'pg';
import type { Logger } from '../log.ts';
import { isOutage } from '../store/database.ts';
import { deletePosts, envelopeKey, selectTimes } from '../store/envelopes.ts';
import { insertPosts, selectHeld, selectPostDevices, type PostFate, type PostRow } from '../store/posts.ts';
import { Copies } from './copies.ts';
import type { Doorbell } from './doorbell.ts';
import { type Fate, type SendJob, storeByHalves } from './fates.ts';
import type { Inboxes } from './inboxes.ts';
import type { Refused, Taker } from './way-in.ts';

/** As PostgreSQL names it. */
const LOCK_TIMEOUT = '55P03';
/** Between two attempts to find who has to hear of posts, and how many of those are remembered. */
const RING_MS = 1_000;
const MOST_LOST = 10_000;

/** A sealed post begins with its version and its epoch. What is shorter is none, and one of another version is for clients to read. */
const SEALED_BYTES = 65;
const VERSION = 1;

/** Whether a post is sealed under the epoch that it is handed in under: what stands in it is then of its time. */
export const isOfItsEpoch = ({ epoch, body }: Pick<OutgoingPost, 'epoch' | 'body'>): boolean => {
  if (body.length < SEALED_BYTES || body[0] !== VERSION) return true;
  return new DataView(body.buffer, body.byteOffset).getUint32(1) === epoch;
};

interface PostParts {
  doorbell: Doorbell;
  limits: Taker;
  inboxes: Inboxes;
  now: () => number;
  /** The accept time of what is stored next. */
  time: () => number;
  /** What goes to the client instead of an error. */
  problem: (error: unknown) => Refused;
  log: Logger;
}

/** Stores what goes to channels, for all of their devices, until the last of them has it. */
export class Posts {
  readonly #pool: pg.Pool;
  readonly #parts: PostParts;
  readonly #copies: Copies;
  /** Channels that posts waited for in vain, as far as nobody has looked since. */
  readonly #held = new Set<ChannelId>();
  /** Posts of which copies were acknowledged. */
  readonly #acked = new Set<string>();
  #dropping = false;
  /** Of which nobody knows whether they are stored. */
  readonly #lost = new Map<string, Pick<PostRow, 'device' | 'id'>>();
  #ringing = false;
  #closed = false;

  constructor(pool: pg.Pool, parts: PostParts) {
    this.#pool = pool;
    this.#parts = parts;
    this.#copies = new Copies(pool, parts.now);
  }

  /** The jobs, all of them posts, that one statement may store, and the others. */
  fit(jobs: SendJob[]): Promise<{ fitting: SendJob[]; left: SendJob[] }> {
    // What is wrong shows when they are stored.
    return this.#copies.fit(jobs).catch(() => ({ fitting: jobs, left: [] }));
  }

  async commit(jobs: readonly SendJob[]): Promise<Fate[]> {
    const rows = new Map<string, PostRow>();
    const keys = jobs.flatMap(({ identity: { device, account }, items, held: before }) => {
      let held = before;
      return (items as OutgoingPost[]).map((post): string | Refused => {
        if (!isOfItsEpoch(post)) return { code: 'bad-request' };
        held ??= this.#tooMany(account, post);
        if (held) return held;
        const key = device + post.id;
        if (!rows.has(key)) rows.set(key, { device, account, ...post });
        return key;
      });
    });
    const at = this.#parts.time();
    const fates =
      rows.size > 0
        ? await storeByHalves([...rows.values()], (some) => this.#store(some, at), this.#parts.problem)
        : [];
    const byKey = new Map([...rows.keys()].map((key, n) => [key, fates[n]!]));
    return keys.map((key) => (typeof key === 'string' ? byKey.get(key)! : key));
  }

  #tooMany(account: AccountId, { channel }: OutgoingPost): Refused | undefined {
    try {
      this.#parts.limits.take('copies', account, this.#copies.of(channel));
      return undefined;
    } catch (error) {
      return this.#parts.problem(error);
    }
  }

  /** Those of channels that are locked for longer than a moment are refused, and nobody waits for them again. */
  async #store(rows: readonly PostRow[], at: number): Promise<Fate[]> {
    const suspects = [...new Set(rows.map(({ channel }) => channel))].filter((one) => this.#held.has(one));
    if (suspects.length > 0) {
      const held = await selectHeld(this.#pool, suspects);
      for (const channel of suspects) if (!held.has(channel)) this.#held.delete(channel);
    }
    const free = rows.filter(({ channel }) => !this.#held.has(channel));
    const stored = free.length > 0 ? await this.#insert(free, at) : [];
    // One of them is locked, and is known by now.
    if (!stored) return this.#store(rows, at);
    let n = 0;
    return rows.map(({ channel }) =>
      this.#held.has(channel) ? { code: 'busy', retryAfter: 1 } : stored[n++]!,
    );
  }

  /** Undefined when one of their channels was waited for in vain. */
  async #insert(rows: readonly PostRow[], at: number): Promise<Fate[] | undefined> {
    let stored: PostFate[];
    try {
      stored = await insertPosts(this.#pool, rows, { at, crowded: this.#parts.inboxes.crowded });
    } catch (error) {
      if ((error as { code?: unknown }).code !== LOCK_TIMEOUT) {
        if (isOutage(error)) void this.#ringLater(rows);
        throw error;
      }
      const held = await selectHeld(this.#pool, [...new Set(rows.map(({ channel }) => channel))]);
      for (const channel of held) this.#held.add(channel);
      // It was something else, or has just ended.
      if (held.size === 0) return rows.map(() => ({ code: 'busy', retryAfter: 1 }));
      return undefined;
    }
    const rung = new Set<DeviceId>();
    const announced = rows.map((row, n) => this.#announce(row, stored[n]!, { at, rung }));
    if (rung.size > 0) this.#parts.doorbell.elsewhere?.([...rung]);
    return Promise.all(announced);
  }

  /** `rung` gathers who has to be told elsewhere. */
  #announce(
    row: PostRow,
    fate: PostFate,
    { at, rung }: { at: number; rung: Set<DeviceId> },
  ): Fate | Promise<Fate> {
    if ('code' in fate) return fate;
    if ('at' in fate || fate.stored < fate.copies) return this.#repeated(row, fate, at);
    const { devices, others } = fate;
    const { id, channel, body } = row;
    const envelope = { id, at, channel, body } as IncomingEnvelope;
    for (const device of devices) {
      rung.add(device);
      for (const listener of this.#parts.doorbell.at(device) ?? []) listener.fresh(envelope);
    }
    // What they get of it, and as what, is in their inbox.
    this.#parts.doorbell.ringHere(others);
    for (const device of others) rung.add(device);
    this.#parts.inboxes.look(others);
    return { at };
  }

  /** It was stored before, or by another relay at the same moment, perhaps without anybody being told. */
  async #repeated(row: PostRow, fate: Exclude<PostFate, { code: ErrorCode }>, at: number): Promise<Fate> {
    if ('post' in fate && fate.stored === 0) await deletePosts(this.#pool, [fate.post]);
    this.#parts.doorbell.ring(await selectPostDevices(this.#pool, [row]));
    if ('at' in fate) return fate;
    const first = await selectTimes(this.#pool, [row]);
    return { at: first.get(envelopeKey(row)) ?? at };
  }

  /** The answer is lost, and they may be stored: who they are for looks once the database answers again. */
  async #ringLater(rows: readonly PostRow[]): Promise<void> {
    const lost = this.#lost;
    for (const row of rows)
      if (lost.size < MOST_LOST) lost.set(envelopeKey(row), { device: row.device, id: row.id });
    if (this.#ringing) return;
    this.#ringing = true;
    while (lost.size > 0 && !this.#closed) {
      await sleep(RING_MS, undefined, { ref: false });
      const asked = [...lost];
      try {
        const devices = await selectPostDevices(
          this.#pool,
          asked.map(([, row]) => row),
        );
        for (const [key] of asked) lost.delete(key);
        this.#parts.doorbell.ring(devices);
      } catch {
        // Again in a moment.
      }
    }
    this.#ringing = false;
  }

  close(): void {
    this.#closed = true;
  }

  /** Copies of these were acknowledged: those that nobody waits for any more are deleted. */
  drop(posts: readonly string[]): void {
    for (const post of posts) this.#acked.add(post);
    void this.#drop();
  }

  /** Apart from the acks, and after their commit: of two that acknowledge the last two rows one sees both gone. */
  async #drop(): Promise<void> {
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
      if (!isOutage(error)) this.#parts.log.warn({ error }, 'could not delete posts');
    } finally {
      this.#dropping = false;
    }
  }
}
