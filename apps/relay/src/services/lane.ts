export interface Job {
  /** Jobs of one sender are done in their order. */
  sender: string;
  /** Jobs of different kinds are not done together. */
  kind: 'envelopes' | 'posts' | 'acks';
  rows: number;
  bytes: number;
}

export interface Bounds {
  rows: number;
  bytes: number;
}

/** A queue whose front is done in one go, as much at a time as `batch` allows and at least one job. */
export class Lane<J extends Job> {
  readonly #run: (jobs: J[]) => Promise<void>;
  readonly #batch: Bounds;
  readonly #queue: Bounds;
  #jobs: J[] = [];
  #rows = 0;
  #bytes = 0;
  #running = false;
  #idle: (() => void)[] = [];

  /** `run` settles all jobs and does not reject. */
  constructor(run: (jobs: J[]) => Promise<void>, bounds: { batch: Bounds; queue: Bounds }) {
    this.#run = run;
    this.#batch = bounds.batch;
    this.#queue = bounds.queue;
  }

  get rows(): number {
    return this.#rows;
  }

  /** False when the queue is full. */
  add(job: J): boolean {
    if (this.#rows + job.rows > this.#queue.rows || this.#bytes + job.bytes > this.#queue.bytes) return false;
    this.#jobs.push(job);
    this.#rows += job.rows;
    this.#bytes += job.bytes;
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
    while (this.#jobs.length > 0) await this.#run(this.#next());
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** The first jobs of one kind, without passing by another job of the same sender. */
  #next(): J[] {
    const { kind } = this.#jobs[0]!;
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
      this.#rows -= job.rows;
      this.#bytes -= job.bytes;
    }
    this.#jobs = left;
    return taken;
  }
}
