import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import type { DeviceId } from '@sotto/contract/ids';
import { createAdapter } from '@socket.io/redis-adapter';
import type { Logger } from './log.ts';
import type { LimitStore } from './services/limits.ts';
import { idText } from './store/id-bytes.ts';

const BEAT_MS = 500;
/** Without a heartbeat for so long Redis is away, whether it is dead, frozen or out of reach. */
const SILENCE_MS = 2_000;
const CONNECT_MS = 2_000;
const HOUR_SECONDS = 3_600;
const RINGS = 'sotto#rings';
const ID_BYTES = 16;
const LIMITS = 'sotto:limits:';

/**
 * Of each counter two names, its points and its seconds: counts on under the older name while there is one, or under the
 * newer. Returns of each the sum and the milliseconds that are left.
 */
const ADD = `
  local found = {}
  for n = 1, #KEYS, 2 do
    local name = redis.call('exists', KEYS[n + 1]) == 1 and KEYS[n + 1] or KEYS[n]
    redis.call('set', name, 0, 'EX', ARGV[n + 1], 'NX')
    found[n] = redis.call('incrby', name, ARGV[n])
    found[n + 1] = redis.call('pttl', name)
  end
  return found`;

/** What the relays of one database have in common beside it. All of it may be lost at any time. */
export interface Redis {
  /** For Socket.IO. What it publishes while Redis is away is dropped. */
  readonly adapter: ReturnType<typeof createAdapter>;
  readonly limits: LimitStore;
  /** Whether what is published arrives. */
  readonly up: boolean;
  /** Says to the other relays that there is something for these devices; lost while Redis is away. */
  ring(devices: readonly DeviceId[]): void;
  /** Called when another relay does. */
  onRing: (devices: DeviceId[]) => void;
  /** Called when messages may have been lost and those that follow arrive again. */
  onBack: () => void;
  close(): void;
}

/** Connects in the background, again and again; nothing that Redis does or leaves undone is thrown at anybody. */
export const openRedis = (url: string, log: Logger): Redis => {
  const open = (offlineQueue: boolean) => {
    const client = createClient({
      url,
      disableOfflineQueue: !offlineQueue,
      socket: {
        connectTimeout: CONNECT_MS,
        reconnectStrategy: (retries) => Math.min(2 ** retries * 50, 1_000) + Math.random() * 250,
      },
    });
    client.on('error', () => undefined);
    client.connect().catch(() => undefined);
    return client;
  };
  const publisher = open(false);
  const subscriber = open(true);

  let closed = false;
  let heardAt = -Infinity;
  let up = false;
  let onBack = (): void => undefined;

  const publish = (channel: string, message: string | Buffer): void => {
    if (publisher.isReady) publisher.publish(channel, message).catch(() => undefined);
  };
  /** A subscription outlives reconnections, but the first attempt may be cut off. */
  const subscribing = async (attempt: () => Promise<unknown>): Promise<void> => {
    while (!closed) {
      try {
        await attempt();
        return;
      } catch {
        await sleep(BEAT_MS);
      }
    }
  };

  // Ids as they are, after the name of who rings. A channel of its own: the adapter packs and unpacks each time.
  const self = randomBytes(ID_BYTES);
  let onRing: Redis['onRing'] = () => undefined;
  const hearRing = (message: Buffer): void => {
    if (self.equals(message.subarray(0, ID_BYTES))) return;
    const devices: DeviceId[] = [];
    for (let at = ID_BYTES; at + ID_BYTES <= message.length; at += ID_BYTES)
      devices.push(idText(message.subarray(at, at + ID_BYTES)));
    onRing(devices);
  };
  void subscribing(() => subscriber.subscribe(RINGS, hearRing, true));

  const beat = `sotto#beat#${randomUUID()}`;
  void subscribing(() => subscriber.subscribe(beat, () => (heardAt = performance.now())));
  const look = setInterval(() => {
    publish(beat, '');
    const now = performance.now() - heardAt < SILENCE_MS;
    if (now === up) return;
    up = now;
    if (up) onBack();
    log[up ? 'info' : 'warn'](up ? 'Redis is there' : 'Redis is away');
  }, BEAT_MS);
  look.unref();
  // Shorter than the silence, and still something may have been lost.
  for (const client of [publisher, subscriber]) client.on('ready', () => up && onBack());

  const assertUp = (): void => {
    if (!up) throw new Error('Redis is away');
  };
  /** Needed in its hour and in the next. */
  const keyOf = async (hour: number): Promise<Buffer> => {
    const name = `${LIMITS}key:${hour}`;
    const fresh = randomBytes(32).toString('base64');
    const expiration = { type: 'EX', value: 2 * HOUR_SECONDS } as const;
    await publisher.set(name, fresh, { condition: 'NX', expiration });
    return Buffer.from((await publisher.get(name)) ?? fresh, 'base64');
  };

  return {
    // The adapter leaves the promises of its clients alone: unhandled, one refusal would end the process.
    adapter: createAdapter(
      {
        pSubscribe: () => undefined,
        publish: (channel: string, message: Buffer) => up && publish(channel, message),
        on: () => undefined,
        off: () => undefined,
      },
      {
        pSubscribe: (pattern: string, listener: never, raw: true) =>
          subscribing(() => subscriber.pSubscribe(pattern, listener, raw)),
        subscribe: (channels: string[], listener: never, raw: true) =>
          subscribing(() => subscriber.subscribe(channels, listener, raw)),
        pUnsubscribe: () => undefined,
        unsubscribe: () => undefined,
        on: () => undefined,
        off: () => undefined,
      },
      { key: 'sotto' },
    ),
    limits: {
      add: async (told) => {
        assertUp();
        const found = (await publisher.eval(ADD, {
          keys: told.flatMap(({ names }) => names.map((name) => `${LIMITS}${name}`)),
          arguments: told.flatMap(({ points, seconds }) => [String(points), String(seconds)]),
        })) as number[];
        return told.map((_, n) => ({ sum: found[2 * n]!, leftMs: found[2 * n + 1]! }));
      },
      keys: async (hour) => {
        assertUp();
        const [current, before] = await Promise.all([keyOf(hour), keyOf(hour - 1)]);
        return [current, before];
      },
    },
    ring: (devices) => {
      if (up) publish(RINGS, Buffer.concat([self, ...devices.map((id) => Buffer.from(id, 'base64url'))]));
    },
    set onRing(listener: Redis['onRing']) {
      onRing = listener;
    },
    get up() {
      return up;
    },
    set onBack(listener: () => void) {
      onBack = listener;
    },
    close: () => {
      closed = true;
      clearInterval(look);
      publisher.destroy();
      subscriber.destroy();
    },
  };
};
