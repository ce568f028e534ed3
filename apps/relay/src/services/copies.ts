import type { ChannelId } from '@sotto/contract/ids';
import type pg from 'pg';
import { countReaders } from '../store/posts.ts';

/** What a count may be late by. */
const FRESH_MS = 2_000;
const KEPT = 10_000;
/** Rows that one statement writes into inboxes, or as many as one event makes. */
const BATCH_COPIES = 5_000;

interface Counted {
  items: readonly { channel: ChannelId }[];
  sender: string;
}

/** Weighs posts by the rows that they become: one for each device of their channel. */
export class Copies {
  readonly #pool: pg.Pool;
  readonly #now: () => number;
  readonly #counts = new Map<ChannelId, { devices: number; at: number }>();

  constructor(pool: pg.Pool, now: () => number) {
    this.#pool = pool;
    this.#now = now;
  }

  /** As it was counted; 1 for what is unknown. */
  of(channel: ChannelId): number {
    return Math.max(1, this.#counts.get(channel)?.devices ?? 1);
  }

  /** The first jobs that one statement may store, at least one, and the others. Of each sender they stay in their order. */
  async fit<J extends Counted>(jobs: readonly J[]): Promise<{ fitting: J[]; left: J[] }> {
    await this.#count(new Set(jobs.flatMap(({ items }) => items.map(({ channel }) => channel))));
    const [fitting, left]: [J[], J[]] = [[], []];
    const passed = new Set<string>();
    let room = BATCH_COPIES;
    for (const job of jobs) {
      const copies = job.items.reduce((sum, { channel }) => sum + this.of(channel), 0);
      if (fitting.length > 0 && (copies > room || passed.has(job.sender))) {
        passed.add(job.sender);
        left.push(job);
        continue;
      }
      fitting.push(job);
      room -= copies;
    }
    return { fitting, left };
  }

  async #count(channels: ReadonlySet<ChannelId>): Promise<void> {
    const now = this.#now();
    const old = [...channels].filter(
      (channel) => Math.abs(now - (this.#counts.get(channel)?.at ?? -Infinity)) > FRESH_MS,
    );
    if (old.length === 0) return;
    const counted = await countReaders(this.#pool, old);
    if (this.#counts.size > KEPT) this.#counts.clear();
    for (const channel of old) this.#counts.set(channel, { devices: counted.get(channel) ?? 0, at: now });
  }
}
