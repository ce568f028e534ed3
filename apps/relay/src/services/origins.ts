/** The addresses under which people use this relay. */
export class Origins {
  readonly #allowed: readonly string[];

  /** `publicUrl` is the only one where it is set; otherwise this machine's own names are. */
  constructor(publicUrl: string | undefined, port: number) {
    this.#allowed = publicUrl ? [publicUrl] : [`http://localhost:${port}`, `http://127.0.0.1:${port}`];
  }

  /** The one that links are made of. */
  get main(): string {
    return this.#allowed[0]!;
  }

  get all(): readonly string[] {
    return this.#allowed;
  }

  includes(origin: string): boolean {
    return this.#allowed.includes(origin);
  }

  /** Browsers name the page that asks; programs send no such header, and no cookie authorises anything here. */
  admits(header: string | undefined): boolean {
    return header === undefined || this.includes(header);
  }
}
