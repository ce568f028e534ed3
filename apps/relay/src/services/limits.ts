import { createHmac, randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { RelayError } from '@sotto/contract/errors';

/** So many points in a window that begins with the first of them. */
interface Window {
  points: number;
  seconds: number;
}

export interface Limit extends Window {
  /** What may be taken beyond it, in longer windows. */
  burst?: Window;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const MIB = 1024 * 1024;

/** Generous to people and small to programs. A full group of 1,000 people's devices can be written to in a minute. */
export const DEFAULT_LIMITS = {
  /** Envelopes and posts, of a device. */
  send: { points: 6_000, seconds: MINUTE },
  /** Bytes of their bodies. */
  sendBytes: { points: 64 * MIB, seconds: MINUTE },
  /** Requests to strangers, of an account. */
  strangers: { points: 60, seconds: HOUR },
  /** Copies of posts, one for each device of the channel, of an account. */
  copies: { points: 60_000, seconds: MINUTE },
  /** Ids in acks over HTTP, and those over a socket that it was not sent, of a device. */
  ack: { points: 60_000, seconds: MINUTE },
  /** Live envelopes and posts, of a device. */
  live: { points: 1_200, seconds: MINUTE },
  /** Bytes of their bodies. */
  liveBytes: { points: 16 * MIB, seconds: MINUTE },
  /** Accounts by id or by handle, of an account. */
  lookup: { points: 300, seconds: MINUTE },
  /** Prekey bundles, of an account for another. */
  bundles: { points: 1, seconds: 10 * MINUTE, burst: { points: 5, seconds: HOUR } },
  /** Channels made and changed, of an account. */
  channels: { points: 240, seconds: MINUTE },
  /** Requests over HTTP of any kind, of an address. */
  requests: { points: 3_000, seconds: MINUTE },
  /** Registrations, of an address. */
  register: { points: 100, seconds: HOUR },
  /** Questions whether an invite is open, of an address. */
  inviteCheck: { points: 60, seconds: 10 * MINUTE },
  challenge: { points: 300, seconds: MINUTE },
  token: { points: 300, seconds: MINUTE },
  /** Codes by e-mail, of an address of the network. */
  email: { points: 10, seconds: HOUR },
  /** Codes to one mailbox. */
  mailbox: { points: 3, seconds: 10 * MINUTE },
  /** Events for its chain, of an account: the whole chain is checked for each. */
  events: { points: 120, seconds: HOUR },
  /** Attempts at recoveries of all accounts, of an address. */
  recoveries: { points: 60, seconds: HOUR },
  /** Attempts at an account's recovery, of an address. */
  recovery: { points: 10, seconds: HOUR },
  /** Sockets that are opened, of an address. */
  connect: { points: 600, seconds: MINUTE },
} as const satisfies Record<string, Limit>;

export type LimitKind = keyof typeof DEFAULT_LIMITS;
export type Limits = Record<LimitKind, Limit>;

/** For tests and benches, where everybody comes from one address. */
export const UNLIMITED: Limits = Object.fromEntries(
  Object.entries(DEFAULT_LIMITS).map(([kind, { seconds }]) => [kind, { points: 1e9, seconds }]),
) as Limits;

/** What relays tell each other of their counts. */
export interface LimitStore {
  /** Adds points to a counter; its sum over all relays and the milliseconds until it begins anew. */
  add(counter: string, points: number, seconds: number): Promise<{ sum: number; leftMs: number }>;
  /** The same random key for whoever asks in the same hour. */
  key(hour: number): Promise<Buffer<ArrayBuffer>>;
}

interface Count {
  sum: number;
  /** Milliseconds since 1970. */
  endsAt: number;
  window: Window;
  /** Taken here and not told to the others. */
  untold: number;
}

const SETTLE_MS = 250;
const FORGET_MS = 10_000;
const HOUR_MS = HOUR * 1000;

/** An address as it is counted: one household has one IPv4 address, or 64 bits of IPv6. */
export const network = (address: string): string => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(address)) return address;
  // As a URL writes it: in lower case, in hexadecimal alone, without leading zeros.
  const written = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1);
  const [head = [], tail] = written.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = tail ? Array<string>(8 - head.length - tail.length).fill('0') : [];
  return [...head, ...zeros, ...(tail ?? [])].slice(0, 4).join(':');
};

interface LimitParts {
  /** Milliseconds since 1970. */
  now: () => number;
  /** Where there are other relays. */
  store?: LimitStore | undefined;
  /** Hears of every refusal. */
  hit?: (kind: LimitKind) => void;
}

/**
 * Counts what devices, accounts and addresses ask for. Counting happens in this process and takes no time; with a store
 * the counts of several relays are added up in the background, four times a second. While the store is away each
 * relay counts for itself: nothing waits for it and nothing is refused for lack of it. Nothing is written to disk.
 *
 * rate-limiter-flexible answers with promises alone, also in memory, so that it counts behind the store only.
 */
export class RateLimits {
  readonly #limits: Limits;
  readonly #parts: LimitParts;
  readonly #counts = new Map<string, Count>();
  readonly #dirty = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #settling = false;
  #forgotAt = 0;
  #secret = randomBytes(32);
  #hour: number;
  /** The hour whose key came from the store. */
  #sharedHour = -1;

  constructor(limits: Limits, parts: LimitParts) {
    this.#limits = limits;
    this.#parts = parts;
    this.#hour = this.#currentHour();
    this.#timer = setInterval(() => this.#tick(), SETTLE_MS);
    this.#timer.unref();
  }

  /**
   * Takes points of what `key` (a device, an account) may have, all or none.
   * @throws RelayError `too-many-requests` with the seconds after which there are some again
   */
  take(kind: LimitKind, key: string, points = 1): void {
    const { burst, ...window } = this.#limits[kind];
    const left = this.#takeFrom(`${kind} ${key}`, window, points);
    if (left === 0) return;
    const burstLeft = burst ? this.#takeFrom(`${kind}+ ${key}`, burst, points) : left;
    if (burstLeft === 0) return;
    this.#parts.hit?.(kind);
    throw new RelayError('too-many-requests', undefined, {
      retryAfter: Math.max(1, Math.ceil(Math.min(left, burstLeft) / 1000)),
    });
  }

  /** The same for what one has with another: nobody who looks at the counters learns who. */
  takePair(kind: LimitKind, one: string, other: string, points = 1): void {
    this.take(kind, this.#hash(`${one} ${other}`), points);
  }

  /** The same for an address of the network. */
  takeAddress(kind: LimitKind, address: string, points = 1): void {
    this.take(kind, this.#hash(network(address)), points);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** 0, or the milliseconds until there is more. */
  #takeFrom(counter: string, window: Window, points: number): number {
    const now = this.#parts.now();
    let count = this.#counts.get(counter);
    // A clock that was set back would make a window of hours.
    if (!count || count.endsAt <= now || count.endsAt > now + window.seconds * 1000) {
      count = { sum: 0, endsAt: now + window.seconds * 1000, window, untold: 0 };
      this.#counts.set(counter, count);
    }
    if (count.sum + points > window.points) return count.endsAt - now;
    count.sum += points;
    if (this.#parts.store) {
      count.untold += points;
      this.#dirty.add(counter);
    }
    return 0;
  }

  #currentHour(): number {
    return Math.floor(this.#parts.now() / HOUR_MS);
  }

  #hash(text: string): string {
    const hour = this.#currentHour();
    if (hour !== this.#hour) {
      this.#hour = hour;
      this.#secret = randomBytes(32);
    }
    return createHmac('sha256', this.#secret).update(text).digest('base64url');
  }

  #tick(): void {
    const now = this.#parts.now();
    if (Math.abs(now - this.#forgotAt) > FORGET_MS) {
      this.#forgotAt = now;
      for (const [counter, { endsAt }] of this.#counts) if (endsAt <= now) this.#counts.delete(counter);
    }
    const { store } = this.#parts;
    if (!store || this.#settling) return;
    this.#settling = true;
    this.#settle(store)
      // The store is away: what was taken meanwhile is told when it is back.
      .catch(() => undefined)
      .finally(() => (this.#settling = false));
  }

  async #settle(store: LimitStore): Promise<void> {
    const hour = this.#currentHour();
    if (this.#sharedHour !== hour) {
      this.#secret = await store.key(hour);
      this.#hour = this.#sharedHour = hour;
    }
    const counters = [...this.#dirty];
    this.#dirty.clear();
    await Promise.all(
      counters.map(async (counter) => {
        const count = this.#counts.get(counter);
        if (!count || count.untold === 0) return;
        const told = count.untold;
        count.untold = 0;
        try {
          const shared = await store.add(this.#hash(counter), told, count.window.seconds);
          count.sum = shared.sum + count.untold;
          count.endsAt = this.#parts.now() + shared.leftMs;
        } catch (error) {
          count.untold += told;
          this.#dirty.add(counter);
          throw error;
        }
      }),
    );
  }
}
