export interface Job {
  /** Jobs of one sender are done in their order. */
  sender: string;
  /** Who has no more than a share of the queue. */
  owner: string;
  /** Jobs of different kinds are not done together. */
  kind: 'envelopes' | 'posts' | 'acks';
  rows: number;
  bytes: number;
}

export interface Bounds {
  rows: number;
  bytes: number;
}

/** Of the queue, for one owner. */
const SHARE = 1 / 4;

/** A body that does not keep the larger buffer that it came in: a frame or a chunk of the network. */
export const ownBody = <Item extends { body: Uint8Array }>(item: Item): Item =>
  item.body.buffer.byteLength > 2 * item.body.length ? { ...item, body: Buffer.from(item.body) } : item;

/** A queue whose front is done in one go, as much at a time as `batch` allows and at least one job. */
export class Lane<J extends Job> {
  readonly #run: (jobs: J[]) => Promise<readonly J[] | undefined>;
  readonly #batch: Bounds;
  readonly #queue: Bounds;
  #jobs: J[] = [];
  #rows = 0;
  #bytes = 0;
  readonly #owners = new Map<string, Bounds>();
  /** Of the jobs that were put back. */
  #putBack: J['kind'] | undefined;
  #running = false;
  #idle: (() => void)[] = [];

  /** `run` settles all jobs, but for those that it returns: they are put back. It does not reject. */
  constructor(
    run: (jobs: J[]) => Promise<readonly J[] | undefined>,
    bounds: { batch: Bounds; queue: Bounds },
  ) {
    this.#run = run;
    this.#batch = bounds.batch;
    this.#queue = bounds.queue;
  }

  get rows(): number {
    return this.#rows;
  }

  /** False when the queue is full, or its owner's share of it. */
  add(job: J): boolean {
    const own = this.#owners.get(job.owner) ?? { rows: 0, bytes: 0 };
    if (
      this.#rows + job.rows > this.#queue.rows ||
      this.#bytes + job.bytes > this.#queue.bytes ||
      own.rows + job.rows > this.#queue.rows * SHARE ||
      own.bytes + job.bytes > this.#queue.bytes * SHARE
    )
      return false;
    this.#jobs.push(job);
    this.#count(job, 1);
    if (!this.#running) {
      this.#running = true;
      // Whatever comes in the same turn of the loop comes along.
      setImmediate(() => void this.#work());
    }
    return true;
  }

  /** Resolves when there is nothing left to do. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#running) this.#idle.push(resolve);
      else resolve();
    });
  }

  async #work(): Promise<void> {
    while (this.#jobs.length > 0) {
      const left = (await this.#run(this.#next())) ?? [];
      this.#putBack = left[0]?.kind;
      if (left.length === 0) continue;
      this.#jobs.unshift(...left);
      for (const job of left) this.#count(job, 1);
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #count({ owner, rows, bytes }: J, sign: 1 | -1): void {
    this.#rows += sign * rows;
    this.#bytes += sign * bytes;
    const own = this.#owners.get(owner) ?? { rows: 0, bytes: 0 };
    own.rows += sign * rows;
    own.bytes += sign * bytes;
    if (own.rows > 0) this.#owners.set(owner, own);
    else this.#owners.delete(owner);
  }

  /** What was put back lets the others go first, once. */
  #next(): J[] {
    const other = this.#putBack && this.#jobs.find(({ kind }) => kind !== this.#putBack)?.kind;
    const taken = other === undefined ? [] : this.#take(other);
    return taken.length > 0 ? taken : this.#take(this.#jobs[0]!.kind);
  }

  /** The first jobs of one kind, without passing by another job of the same sender. */
  #take(kind: J['kind']): J[] {
    const taken: J[] = [];
    const left: J[] = [];
    const passed = new Set<string>();
    let [rows, bytes] = [this.#batch.rows, this.#batch.bytes];
    for (const job of this.#jobs) {
      const fits = taken.length === 0 || (job.rows <= rows && job.bytes <= bytes);
      if (job.kind !== kind || !fits || passed.has(job.sender)) {
        passed.add(job.sender);
        left.push(job);
        continue;
      }
      taken.push(job);
      rows -= job.rows;
      bytes -= job.bytes;
      this.#count(job, -1);
    }
    this.#jobs = left;
    return taken;
  }
}
