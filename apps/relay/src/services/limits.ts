import { createHmac, randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { RelayError } from '@sotto/contract/errors';
import { LIMITS } from '@sotto/contract/limits';

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
  /** Requests to strangers, and strangers put into channels, of an account. */
  strangers: { points: LIMITS.strangersPerChange, seconds: HOUR },
  /** Copies of posts, one for each device of the channel, of an account. */
  copies: { points: 60_000, seconds: MINUTE },
  /** Ids in acks over HTTP, and those over a socket that it was not sent, of a device. */
  ack: { points: 60_000, seconds: MINUTE },
  /** Live envelopes and posts, of a device. */
  live: { points: 1_200, seconds: MINUTE },
  /** Bytes of their bodies. */
  liveBytes: { points: 16 * MIB, seconds: MINUTE },
  /** Copies of live posts, of an account: they must not cost it those of posts. */
  liveCopies: { points: 60_000, seconds: MINUTE },
  /** Accounts by id or by handle, of an account. */
  lookup: { points: 300, seconds: MINUTE },
  /** Prekeys and sealing keys that are published, of a device. */
  publish: { points: 60, seconds: 10 * MINUTE },
  /** Prekey bundles of anybody, of an account: also of those that there are not. */
  allBundles: { points: 300, seconds: MINUTE },
  /** Prekey bundles, of an account for another, and of a device for its own. */
  bundles: { points: 1, seconds: 10 * MINUTE, burst: { points: 5, seconds: HOUR } },
  /** Channels made, changed, joined and read, of an account. */
  channels: { points: 240, seconds: MINUTE },
  /** Links to channels that are followed, of an account. */
  links: { points: 60, seconds: 10 * MINUTE },
  /** Requests to join it, of a channel. */
  joins: { points: 200, seconds: HOUR },
  /** Bytes for the logs of channels, of an account: they stay. */
  entryBytes: { points: 2 * MIB, seconds: HOUR },
  /** Invites made, of an account. */
  invites: { points: 60, seconds: HOUR },
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

/** What a counter has by now over all relays, and the milliseconds until it begins anew. */
interface Shared {
  sum: number;
  leftMs: number;
}

export interface Told {
  /** By the key of the hour in which this relay opened it, and by that of the hour before. */
  names: Pair<string>;
  points: number;
  seconds: number;
}

/** What relays tell each other of their counts. */
export interface LimitStore {
  /** Counts on under the older name while there is one, else under the newer. In the order given. */
  add(told: readonly Told[]): Promise<readonly Shared[]>;
  /** The random keys of this hour and of the hour before: the same for whoever asks. */
  keys(hour: number): Promise<Pair<Buffer>>;
}

/** Of an hour and of the hour before: no window is longer, and it goes by the key of the hour in which it began. */
type Pair<Item> = readonly [Item, Item];

interface Count {
  sum: number;
  /** Milliseconds since 1970. */
  endsAt: number;
  window: Window;
  /** Taken here and not told to the others. */
  untold: number;
  /** For the store, where there is one. */
  names: Pair<string> | undefined;
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
 */
export class RateLimits {
  readonly #limits: Limits;
  readonly #parts: LimitParts;
  readonly #counts = new Map<string, Count>();
  readonly #dirty = new Set<Count>();
  readonly #timer: NodeJS.Timeout;
  #settling = false;
  #forgotAt = 0;
  #keys: Pair<Buffer> = [randomBytes(32), randomBytes(32)];
  #hour: number;
  /** The hour whose keys came from the store. */
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
    this.#take(kind, points, (prefix) => [`${prefix} ${key}`]);
  }

  /** The same for what one has with another: nobody who looks at the counters learns who. */
  takePair(kind: LimitKind, one: string, other: string, points = 1): void {
    this.#take(kind, points, (prefix) => this.#hash(`${prefix} ${one} ${other}`));
  }

  /** The same for an address of the network. */
  takeAddress(kind: LimitKind, address: string, points = 1): void {
    this.#take(kind, points, (prefix) => this.#hash(`${prefix} ${network(address)}`));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #take(kind: LimitKind, points: number, namesOf: (prefix: string) => [string] | Pair<string>): void {
    const { burst, ...window } = this.#limits[kind];
    const left = this.#takeFrom(namesOf(kind), window, points);
    if (left === 0) return;
    const burstLeft = burst ? this.#takeFrom(namesOf(`${kind}+`), burst, points) : left;
    if (burstLeft === 0) return;
    this.#parts.hit?.(kind);
    throw new RelayError('too-many-requests', undefined, {
      retryAfter: Math.max(1, Math.ceil(Math.min(left, burstLeft) / 1000)),
    });
  }

  /** 0, or the milliseconds until there is more. A counter that is open goes by any of its names, a new one by the first. */
  #takeFrom(names: [string] | Pair<string>, window: Window, points: number): number {
    const now = this.#parts.now();
    const open = names.find((name) => this.#isOpen(name, window, now));
    const counter = open ?? names[0];
    let count = this.#counts.get(counter);
    if (!count || open === undefined) {
      const told = this.#parts.store && (names.length === 2 ? names : this.#hash(counter));
      count = { sum: 0, endsAt: now + window.seconds * 1000, window, untold: 0, names: told };
      this.#counts.set(counter, count);
    }
    if (count.sum + points > window.points) return count.endsAt - now;
    count.sum += points;
    if (count.names) {
      count.untold += points;
      this.#dirty.add(count);
    }
    return 0;
  }

  #currentHour(): number {
    return Math.floor(this.#parts.now() / HOUR_MS);
  }

  #isOpen(counter: string, { seconds }: Window, now: number): boolean {
    const endsAt = this.#counts.get(counter)?.endsAt ?? now;
    // A clock that was set back would make a window of hours.
    return endsAt > now && endsAt <= now + seconds * 1000;
  }

  #hash(text: string): Pair<string> {
    const hash = (key: Buffer): string => createHmac('sha256', key).update(text).digest('base64url');
    return [hash(this.#keys[0]), hash(this.#keys[1])];
  }

  /** To keys of its own. */
  #turn(): void {
    const hour = this.#currentHour();
    if (hour === this.#hour) return;
    this.#keys = [randomBytes(32), hour === this.#hour + 1 ? this.#keys[0] : randomBytes(32)];
    this.#hour = hour;
  }

  #tick(): void {
    const now = this.#parts.now();
    if (Math.abs(now - this.#forgotAt) > FORGET_MS) {
      this.#forgotAt = now;
      for (const [counter, { endsAt }] of this.#counts) if (endsAt <= now) this.#counts.delete(counter);
    }
    const { store } = this.#parts;
    if (!store || this.#settling) return this.#turn();
    this.#settling = true;
    this.#settle(store)
      // The store is away: what was taken meanwhile is told when it is back.
      .catch(() => this.#turn())
      .finally(() => (this.#settling = false));
  }

  async #settle(store: LimitStore): Promise<void> {
    const hour = this.#currentHour();
    const before = this.#parts.now();
    for (const count of this.#dirty) if (count.endsAt <= before) this.#dirty.delete(count);
    if (this.#sharedHour !== hour) {
      this.#keys = await store.keys(hour);
      this.#hour = this.#sharedHour = hour;
    }
    const counts = [...this.#dirty];
    this.#dirty.clear();
    if (counts.length === 0) return;
    const told = counts.map(({ names, untold, window }) => ({
      names: names!,
      points: untold,
      seconds: window.seconds,
    }));
    for (const count of counts) count.untold = 0;
    try {
      const shared = await store.add(told);
      const now = this.#parts.now();
      for (const [n, count] of counts.entries()) {
        count.sum = shared[n]!.sum + count.untold;
        count.endsAt = now + shared[n]!.leftMs;
      }
    } catch (error) {
      for (const [n, count] of counts.entries()) {
        count.untold += told[n]!.points;
        this.#dirty.add(count);
      }
      throw error;
    }
  }
}
