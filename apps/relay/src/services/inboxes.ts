import type { DeviceId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type pg from 'pg';
import type { Logger } from '../log.ts';
import { isOutage } from '../store/database.ts';
import { type Load, selectLoad, selectLoads } from '../store/inboxes.ts';

const FIND_MS = 5 * 60_000;
/** Between two looks at one device. */
const LOOK_MS = 5_000;

const FULL: Load = { rows: LIMITS.waitingPerInbox, bytes: LIMITS.waitingBytesPerInbox };
/** Past it there is room for envelopes alone: the noise of groups must not shut out who writes to one. */
const SHARE_OF_POSTS = 0.8;

const reaches = (load: Load, bound: Load): boolean => load.rows >= bound.rows || load.bytes >= bound.bytes;

interface Known {
  full: boolean;
  /** Milliseconds since 1970. */
  looked: number;
}

/**
 * Knows the inboxes that hold too much. Nothing is counted as it comes: all are looked at every few minutes, those that
 * are known again when something was acknowledged or refused. In between there comes as much as the limits of the senders
 * allow.
 */
export class Inboxes {
  readonly #pool: pg.Pool;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #full: Load;
  readonly #crowded: Load;
  readonly #timer: NodeJS.Timeout;
  #finds = 0;
  #known = new Map<DeviceId, Known>();

  constructor(
    pool: pg.Pool,
    { now, log, full = FULL }: { now: () => number; log: Logger; full?: Load | undefined },
  ) {
    this.#pool = pool;
    this.#now = now;
    this.#log = log;
    this.#full = full;
    // PostgreSQL takes no parts of a row.
    this.#crowded = {
      rows: Math.floor(full.rows * SHARE_OF_POSTS),
      bytes: Math.floor(full.bytes * SHARE_OF_POSTS),
    };
    this.#timer = setInterval(() => void this.find(), FIND_MS);
    this.#timer.unref();
    void this.find();
  }

  /** Nothing more is put into it. */
  isFull(device: DeviceId): boolean {
    return this.#known.get(device)?.full ?? false;
  }

  /** Those for which there are no posts any more. */
  get crowded(): DeviceId[] {
    return [...this.#known.keys()];
  }

  /** Looks at all. Does not reject. */
  find(): Promise<void> {
    return this.#quietly(async () => {
      const looked = this.#now();
      const find = (this.#finds += 1);
      const loads = await selectLoads(this.#pool, this.#crowded);
      // Another one began later, and knows better.
      if (find !== this.#finds) return;
      this.#known = new Map(
        [...loads].map(([device, load]) => [device, { full: reaches(load, this.#full), looked }]),
      );
    });
  }

  /** Looks again at those of these devices that are known, but not all the time. */
  look(devices: Iterable<DeviceId>): void {
    if (this.#known.size === 0) return;
    const now = this.#now();
    for (const device of new Set(devices)) {
      const known = this.#known.get(device);
      if (!known || Math.abs(now - known.looked) < LOOK_MS) continue;
      known.looked = now;
      void this.#quietly(async () => {
        const load = await selectLoad(this.#pool, device, this.#full.rows);
        if (reaches(load, this.#crowded)) known.full = reaches(load, this.#full);
        else this.#known.delete(device);
      });
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isOutage(error)) this.#log.warn({ error }, 'could not look at the inboxes');
    }
  }
}
