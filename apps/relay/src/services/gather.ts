/** One question at a time for all who ask: what is asked meanwhile goes together into the next. */
export class Gather<Key, Answer> {
  readonly #ask: (keys: Key[]) => Promise<readonly Answer[]>;
  readonly #most: number;
  #waiting: { key: Key; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = [];
  #running = false;

  /** `ask` answers in the order of the keys, of which it gets `most` at a time. */
  constructor(ask: (keys: Key[]) => Promise<readonly Answer[]>, most = Infinity) {
    this.#ask = ask;
    this.#most = most;
  }

  ask(key: Key): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      if (this.#running) return;
      this.#running = true;
      // Whoever asks in the same turn of the loop comes along.
      setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, this.#most);
      try {
        const answers = await this.#ask(asked.map(({ key }) => key));
        for (const [index, { resolve }] of asked.entries()) resolve(answers[index]!);
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    this.#running = false;
  }
}
