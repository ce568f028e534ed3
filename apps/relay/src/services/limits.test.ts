import { afterEach, describe, expect, it, vi } from 'vitest';
import { RelayError } from '@sotto/contract/errors';
import { DEFAULT_LIMITS, network, RateLimits, type LimitStore, type Told } from './limits.ts';

afterEach(() => vi.useRealTimers());

const setUp = (options: { store?: LimitStore } = {}) => {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const hits: string[] = [];
  const limits = new RateLimits(
    { ...DEFAULT_LIMITS, strangers: { points: 3, seconds: 60 } },
    { now: () => clock.now, hit: (kind) => hits.push(kind), ...options },
  );
  const retryAfter = (work: () => void): number | undefined => {
    try {
      work();
      return undefined;
    } catch (error) {
      expect(error).toBeInstanceOf(RelayError);
      expect((error as RelayError).code).toBe('too-many-requests');
      return (error as RelayError).retryAfter;
    }
  };
  return {
    clock,
    hits,
    limits,
    retryAfter,
    take: (points = 1, key = 'a') => retryAfter(() => limits.take('strangers', key, points)),
  };
};

describe('limits', () => {
  it('let so many through, say when there are more, and let those through then', () => {
    const { clock, hits, take } = setUp();
    expect([take(), take(), take(), take()]).toEqual([undefined, undefined, undefined, 60]);
    clock.now += 59_500;
    expect(take()).toBe(1);
    expect(hits).toEqual(['strangers', 'strangers']);
    clock.now += 500;
    expect(take()).toBeUndefined();
  });

  it('take all or none, and count each key by itself', () => {
    const { take } = setUp();
    expect([take(4), take(2), take(2), take(1), take(1)]).toEqual([60, undefined, 60, undefined, 60]);
    expect(take(3, 'b')).toBeUndefined();
  });

  it('F9: do not last longer because the clock was set back', () => {
    const { clock, take } = setUp();
    take(3);
    clock.now -= 24 * 60 * 60_000;
    expect(take()).toBeUndefined();
  });

  it('A4: of bundles an account has six of another, then one in ten minutes', () => {
    const { clock, limits, retryAfter } = setUp();
    const ask = (to = 'bob') => retryAfter(() => limits.takePair('bundles', 'alice', to));
    for (let n = 0; n < 6; n += 1) expect(ask()).toBeUndefined();
    expect(ask()).toBe(600);
    expect(ask('carol')).toBeUndefined();
    clock.now += 600_000;
    expect([ask(), ask()]).toEqual([undefined, 600]);
  });

  it('know addresses by their network', () => {
    const { limits, retryAfter } = setUp();
    const ask = (address: string) => retryAfter(() => limits.takeAddress('strangers', address));
    for (const host of [':1', 'ffff:ffff:ffff:ffff', ':2']) ask(`2001:db8:0:1:${host}`);
    expect(ask('2001:db8::1:0:0:0:7')).toBe(60);
    expect(ask('2001:db8:0:2::1')).toBeUndefined();
    expect(network('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(network('::1')).toBe('0:0:0:0');
    expect(network('fe80::1%eth0')).toBe('fe80:0:0:0');
    expect(network('::192.0.2.1')).toBe('0:0:0:0');
  });

  it('tell the store neither accounts nor addresses nor pairs', async () => {
    const told: string[] = [];
    const { limits } = setUp({
      store: {
        add: async (counters) => {
          told.push(...counters.flatMap(({ names }) => names));
          return counters.map(() => ({ sum: 1, leftMs: 1000 }));
        },
        keys: async () => [Buffer.alloc(32, 1), Buffer.alloc(32, 2)],
      },
    });
    limits.take('strangers', 'alice');
    limits.takePair('bundles', 'alice', 'bob');
    limits.takeAddress('register', '192.0.2.1');
    await expect.poll(() => new Set(told).size, { timeout: 15_000 }).toBe(6);
    limits.close();
    for (const counter of told) expect(counter).toMatch(/^[\w-]{43}$/);
  });

  it('count on over the full hour, and under a new key afterwards', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { clock, limits, retryAfter } = setUp();
    const ask = () => retryAfter(() => limits.takeAddress('recovery', '192.0.2.1'));
    const tick = () => vi.advanceTimersByTimeAsync(250);
    clock.now = Date.UTC(2026, 0, 1, 10, 59, 30);
    await tick();
    for (let n = 0; n < 10; n += 1) expect(ask()).toBeUndefined();
    for (const left of [3_570, 3_540, 1]) {
      clock.now = Date.UTC(2026, 0, 1, 11, 59, 30) - left * 1000;
      await tick();
      expect(ask()).toBe(left);
    }
    clock.now += 1_000;
    expect(ask()).toBeUndefined();
    limits.close();
  });

  it('F5: tell each point once, and none of a window that ended while the store was away', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    let away = true;
    const told: Told[] = [];
    const { clock, limits, take } = setUp({
      store: {
        add: async (counters) => {
          if (away) throw new Error('away');
          told.push(...counters);
          return counters.map(({ points }) => ({ sum: points, leftMs: 60_000 }));
        },
        keys: async () => [Buffer.alloc(32, 1), Buffer.alloc(32, 2)],
      },
    });
    const tick = () => vi.advanceTimersByTimeAsync(250);
    take(2, 'early');
    await tick();
    clock.now += 60_000;
    take(1, 'late');
    await tick();
    take(1, 'late');
    away = false;
    await tick();
    await tick();
    expect(told.map(({ points, seconds }) => [points, seconds])).toEqual([[2, 60]]);
    limits.close();
  });

  it('F5: with a store that fails or never answers each counts for itself', async () => {
    for (const broken of [
      () => Promise.reject(new Error('away')),
      () => new Promise<never>(() => undefined),
    ]) {
      const { limits, take } = setUp({ store: { add: broken, keys: broken } });
      take();
      await new Promise((resolve) => setTimeout(resolve, 600));
      expect([take(), take(), take()]).toEqual([undefined, undefined, 60]);
      limits.close();
    }
  });
});
