import { RelayError } from '@sotto/contract/errors';
import * as jose from 'jose';

/** Where Google publishes the keys that sign Firebase's ID tokens. */
export const GOOGLE_KEYS =
  'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com';

const TIMEOUT_MS = 5_000;
/** Between two requests for a key that is not among those here, whatever names a stranger invents. */
const COOLDOWN_MS = 30_000;
const MAX_AGE_MS = 24 * 60 * 60 * 1000;

/** Milliseconds that an answer may be kept; none unless it says so. */
const lifetimeOf = (headers: Headers): number => {
  const directives = headers.get('cache-control') ?? '';
  if (/no-store|no-cache/i.test(directives)) return 0;
  const seconds = Number(/max-age=(\d+)/i.exec(directives)?.[1] ?? 0) - Number(headers.get('age') ?? 0);
  return Math.min(Math.max(seconds * 1000, 0) || 0, MAX_AGE_MS);
};

interface KeysParts {
  url: string;
  fetch: typeof fetch;
  now: () => number;
}

/** Public keys at an address, fetched when the first is needed and kept as long as their answer allows. */
export class PublishedKeys {
  readonly #parts: KeysParts;
  #keys: jose.LocalJWKSet | undefined;
  #freshUntil = -Infinity;
  #askedAt = -Infinity;
  #loading: Promise<void> | undefined;

  constructor(parts: KeysParts) {
    this.#parts = parts;
  }

  /** The key of a token. @throws RelayError `busy` when the keys cannot be had, JOSEError when it is not among them */
  async find(header: jose.JWTHeaderParameters, token: jose.FlattenedJWSInput): Promise<jose.CryptoKey> {
    if (this.#parts.now() >= this.#freshUntil) await this.#load();
    try {
      return await this.#keys!(header, token);
    } catch (error) {
      const wait = this.#askedAt + COOLDOWN_MS - this.#parts.now();
      if (!(error instanceof jose.errors.JWKSNoMatchingKey) || wait > 0) throw error;
    }
    // They may have changed before their time.
    await this.#load();
    return this.#keys!(header, token);
  }

  #load(): Promise<void> {
    this.#loading ??= this.#request().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #request(): Promise<void> {
    const askedAt = (this.#askedAt = this.#parts.now());
    try {
      const response = await this.#parts.fetch(this.#parts.url, {
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status !== 200) throw new Error(`status ${response.status}`);
      this.#keys = jose.createLocalJWKSet((await response.json()) as jose.JSONWebKeySet);
      this.#freshUntil = askedAt + lifetimeOf(response.headers);
    } catch (cause) {
      throw new RelayError('busy', undefined, { cause });
    }
  }
}
