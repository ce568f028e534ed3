import { setTimeout as sleep } from 'node:timers/promises';
import { RelayError } from '@sotto/contract/errors';
import type { EnvelopeId } from '@sotto/contract/ids';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, connect, envelopeFor, join, type TestDevice } from '../test/device.ts';
import { eventually, startRelay, temporaryDatabase, type TestRelay } from '../test/harness.ts';
import { startRedis } from '../test/redis.ts';
import { createLog } from './log.ts';
import { openRedis } from './redis.ts';
import { RateLimits, DEFAULT_LIMITS, type LimitStore } from './services/limits.ts';

type Line = ReturnType<typeof connect>;

let redis: Awaited<ReturnType<typeof startRedis>>;
let database: Awaited<ReturnType<typeof temporaryDatabase>>;
let relays: [TestRelay, TestRelay];
let alice: TestDevice;
let bob: TestDevice;
let lines: { alice: Line; bob: Line };
beforeAll(async () => {
  redis = await startRedis();
  database = await temporaryDatabase();
  const shared = { databaseUrl: database.url, redisUrl: redis.url };
  relays = [await startRelay(shared), await startRelay(shared)];
  [alice, bob] = [await join(relays[0]), await join(relays[1])];
  // Somebody else each: the token of one relay is good at the other.
  lines = {
    alice: connect(relays[0].relay.port, { token: alice.token }, { acks: true }),
    bob: connect(relays[1].relay.port, { token: bob.token }, { acks: true }),
  };
  await eventually(() => expect([lines.alice.seen.caughtUp, lines.bob.seen.caughtUp]).toEqual([[0], [0]]));
});
afterAll(async () => {
  for (const line of Object.values(lines)) line.close();
  await Promise.all(relays.map((relay) => relay.stop()));
  await database.close();
  await redis.stop();
});

/** How long, in milliseconds, a message takes each way until it is there; it is there once. */
const exchange = async (): Promise<number[]> => {
  const one = async (from: Line, to: Line, device: TestDevice): Promise<number> => {
    const envelope = envelopeFor(device.device);
    const before = performance.now();
    from.socket.emit('send', { envelopes: [envelope] });
    await eventually(() => expect(idsOf(to)).toContain(envelope.id));
    return performance.now() - before;
  };
  return [await one(lines.alice, lines.bob, bob), await one(lines.bob, lines.alice, alice)];
};
const idsOf = (line: Line): EnvelopeId[] => line.seen.delivered.map(({ id }) => id);
const assertOnce = (line: Line): void => expect(new Set(idsOf(line)).size).toBe(idsOf(line).length);
/** Faster than the database is asked when Redis is away. */
const SOON = 300;
const fastAgain = () =>
  eventually(async () => {
    for (const ms of await exchange()) expect(ms).toBeLessThan(SOON);
  });

describe('two relays', () => {
  it('carry messages to each other’s devices at once', async () => {
    await fastAgain();
  });

  it('carry live signals', async () => {
    const body = Buffer.from('typing');
    await eventually(async () => {
      lines.alice.socket.emit('live', {
        envelopes: [{ device: bob.device, token: envelopeFor(bob.device).token, body } as never],
        posts: [],
      });
      await sleep(50);
      expect(lines.bob.seen.live.map((live) => Buffer.from(live.body).toString())).toContain('typing');
    });
  });

  it('cut a removed device off at both', async () => {
    const carol = await join(relays[0]);
    const line = connect(relays[1].relay.port, { token: carol.token });
    await eventually(() => expect(line.seen.caughtUp).toEqual([0]));
    const { status } = await call(relays[0].relay.port, 'DELETE', `/v1/devices/${carol.device}`, {
      token: carol.token,
    });
    expect(status).toBe(204);
    await eventually(() => {
      expect(line.seen.problems).toEqual(['device-removed']);
      expect(line.seen.disconnects).toHaveLength(1);
    });
  });

  it('F5: a killed Redis loses and doubles nothing, and fast it is again when it is back', async () => {
    const sent: EnvelopeId[] = [];
    const send = (): void => {
      const envelope = envelopeFor(bob.device);
      sent.push(envelope.id);
      lines.alice.socket.emit('send', { envelopes: [envelope] });
    };
    for (let n = 0; n < 20; n += 1) send();
    await redis.end();
    for (let n = 0; n < 20; n += 1) {
      send();
      await sleep(20);
    }
    await eventually(() => expect(idsOf(lines.bob)).toEqual(expect.arrayContaining(sent)), 8_000);
    for (const ms of await exchange()) expect(ms).toBeLessThan(5_000);
    await redis.start();
    await fastAgain();
    assertOnce(lines.alice);
    assertOnce(lines.bob);
  });

  it('F5: a frozen Redis delays no send, and messages arrive', async () => {
    redis.freeze();
    try {
      const envelope = envelopeFor(bob.device);
      lines.alice.socket.emit('send', { envelopes: [envelope] });
      await eventually(() => expect(lines.alice.seen.results.map(({ id }) => id)).toContain(envelope.id));
      await eventually(() => expect(idsOf(lines.bob)).toContain(envelope.id), 8_000);
    } finally {
      redis.thaw();
    }
    await fastAgain();
    assertOnce(lines.bob);
  });

  it('F6: what a relay takes in that alone is cut off from Redis arrives at the others', async () => {
    const alone = await startRelay({ databaseUrl: database.url, redisUrl: 'redis://127.0.0.1:1' });
    const line = connect(alone.relay.port, { token: alice.token });
    await eventually(() => expect(line.seen.caughtUp).toHaveLength(1));
    const envelope = envelopeFor(bob.device);
    line.socket.emit('send', { envelopes: [envelope] });
    await eventually(() => expect(idsOf(lines.bob)).toContain(envelope.id), 8_000);
    line.close();
    await alone.stop();
  });
});

describe('limits of several relays', () => {
  it('are counted together, without a round trip, and by each alone while Redis is away', async () => {
    const own = await startRedis();
    const limits = { ...DEFAULT_LIMITS, strangers: { points: 10, seconds: 60 } };
    let clock = Date.UTC(2026, 0, 1, 10, 59, 30);
    let came = 0;
    const keysCame = (times: number) => eventually(() => expect(came).toBe(times));
    const counting = ({ add, keys }: LimitStore): RateLimits => {
      const store: LimitStore = {
        add,
        keys: async (hour) => {
          const both = await keys(hour);
          came += 1;
          return both;
        },
      };
      return new RateLimits(limits, { now: () => clock, store });
    };
    const sides = [0, 1].map(() => {
      const shared = openRedis(own.url, createLog('silent'));
      return { shared, counts: counting(shared.limits) };
    });
    const [one, other] = sides.map(({ counts }) => counts) as [RateLimits, RateLimits];
    await eventually(() => expect(sides.every(({ shared }) => shared.up)).toBe(true));
    await keysCame(2);
    for (let n = 0; n < 10; n += 1) one.take('strangers', 'somebody');
    for (let n = 0; n < 6; n += 1) one.takePair('bundles', 'a', 'b');
    /** It asks nobody, so that the first may pass. What takes nothing is refused once all together had too much. */
    const learns = async (counts: RateLimits): Promise<void> => {
      counts.take('strangers', 'somebody');
      for (let n = 0; n < 2; n += 1) counts.takePair('bundles', 'a', 'b');
      await eventually(() => {
        expect(() => counts.take('strangers', 'somebody', 0)).toThrow(RelayError);
        expect(() => counts.takePair('bundles', 'a', 'b', 0)).toThrow(RelayError);
      });
    };
    await learns(other);
    // In the next hour the windows of the last one go on, also for a relay that starts then.
    clock += 60 * 60_000;
    await keysCame(4);
    const late = counting(sides[0]!.shared.limits);
    await keysCame(5);
    for (const counts of [other, late]) await learns(counts);
    late.close();
    await own.end();
    for (let n = 0; n < 10; n += 1) one.take('strangers', 'another');
    expect(() => one.take('strangers', 'another')).toThrow('too-many-requests');
    expect(() => other.take('strangers', 'another')).not.toThrow();
    for (const { shared, counts } of sides) {
      shared.close();
      counts.close();
    }
    await own.stop();
  });
});
