import { RelayError } from '@sotto/contract/errors';

/** Lets so many works run at once and so many wait, in the order in which they came. */
export class Gate {
  readonly #atOnce: number;
  readonly #queue: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor({ atOnce, queue }: { atOnce: number; queue: number }) {
    this.#atOnce = atOnce;
    this.#queue = queue;
  }

  /** Nothing runs and nothing waits. */
  get idle(): boolean {
    return this.#running === 0;
  }

  /** What `work` comes to. @throws RelayError `busy` when too many wait already */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnce) this.#running += 1;
    else if (this.#waiting.length >= this.#queue) throw new RelayError('busy');
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // It takes the place over: whoever comes meanwhile finds none.
      if (next) next();
      else this.#running -= 1;
    }
  }
}

/** A gate at which each key has one place and a short queue of its own, so that one alone cannot fill it. */
export class SharedGate {
  readonly #all: Gate;
  readonly #queue: number;
  readonly #gates = new Map<string, Gate>();

  /** `queueEach`: so many of one key may wait. */
  constructor({ queueEach, ...all }: { atOnce: number; queue: number; queueEach: number }) {
    this.#all = new Gate(all);
    this.#queue = queueEach;
  }

  /** What `work` comes to. @throws RelayError `busy` when too many wait already, of this key or of all */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const gate = this.#gates.get(key) ?? new Gate({ atOnce: 1, queue: this.#queue });
    this.#gates.set(key, gate);
    try {
      return await gate.run(() => this.#all.run(work));
    } finally {
      if (gate.idle) this.#gates.delete(key);
    }
  }
}
