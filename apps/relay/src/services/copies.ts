import type { OutgoingPost } from '@sotto/contract/envelope';
import type { ChannelId } from '@sotto/contract/ids';
import type pg from 'pg';
import { countReaders } from '../store/posts.ts';
import { type SendJob, splitJob } from './fates.ts';

/** What a count may be late by. */
const FRESH_MS = 2_000;
const KEPT = 10_000;
/** Rows that one statement writes into inboxes, or as many as one post makes. */
const BATCH_COPIES = 5_000;

const channelsOf = (items: SendJob['items']): ChannelId[] =>
  (items as OutgoingPost[]).map(({ channel }) => channel);

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

  /**
   * The first jobs that one statement may store, or as much of the first one as it may, and the others. Of each sender they
   * stay in their order.
   */
  async fit(jobs: readonly SendJob[]): Promise<{ fitting: SendJob[]; left: SendJob[] }> {
    await this.#count(new Set(jobs.flatMap(({ items }) => channelsOf(items))));
    const [fitting, left]: [SendJob[], SendJob[]] = [[], []];
    const passed = new Set<string>();
    let room = BATCH_COPIES;
    for (const job of jobs) {
      const copies = this.#copies(job.items);
      if (fitting.length > 0 && (copies > room || passed.has(job.sender))) {
        passed.add(job.sender);
        left.push(job);
        continue;
      }
      room -= copies;
      if (room >= 0 || job.items.length === 1) {
        fitting.push(job);
        continue;
      }
      let count = 1;
      while (this.#copies(job.items.slice(0, count + 1)) <= BATCH_COPIES) count += 1;
      const [first, rest] = splitJob(job, count);
      fitting.push(first);
      left.push(rest);
      passed.add(job.sender);
    }
    return { fitting, left };
  }

  #copies(items: SendJob['items']): number {
    return channelsOf(items).reduce((sum, channel) => sum + this.of(channel), 0);
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
