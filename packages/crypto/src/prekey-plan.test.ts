import { describe, expect, it } from 'vitest';
import { DAY } from './limits.ts';
import { consume, planPrekeys, supersede, type PrekeyRecord } from './prekey-plan.ts';
import type { PrekeyKind } from './prekeys.ts';
import { unchanged } from './test-support.ts';

const NOW = 1_770_000_000_000;
const FULL = { oneTime: 100, pqOneTime: 100 };
const record = (kind: PrekeyKind, id: number, createdAt: number, supersededAt?: number): PrekeyRecord => ({
  kind,
  id,
  createdAt,
  expiresAt: createdAt + (kind === 'signed' || kind === 'pq-last-resort' ? 45 : 90) * DAY,
  ...(supersededAt !== undefined && { supersededAt }),
});
const pair = (createdAt: number) => [record('signed', 1, createdAt), record('pq-last-resort', 1, createdAt)];

describe('what to do about prekeys', () => {
  it.each([
    ['nothing', 0, false, false],
    ['nothing', 7 * DAY - 1, false, false],
    ['rotate', 7 * DAY, true, false],
    ['rotate', 14 * DAY - 1, true, false],
    ['rotate and send nothing', 14 * DAY, true, true],
  ])('is: %s at an age of %d', (_, age, rotate, overdue) => {
    expect(planPrekeys({ own: pair(NOW - age), left: FULL, now: NOW })).toMatchObject({ rotate, overdue });
  });

  it('is: rotate when there is none, or only one of the two, or the clock was put back far', () => {
    expect(planPrekeys({ own: [], left: FULL, now: NOW })).toMatchObject({ rotate: true, overdue: true });
    for (const one of pair(NOW)) {
      expect(planPrekeys({ own: [one], left: FULL, now: NOW })).toMatchObject({ rotate: true });
    }
    expect(planPrekeys({ own: pair(NOW + 7 * DAY), left: FULL, now: NOW })).toMatchObject({ rotate: true });
    expect(planPrekeys({ own: pair(NOW + DAY), left: FULL, now: NOW })).toMatchObject({ rotate: false });
  });

  it.each([
    [100, 0],
    [20, 0],
    [19, 81],
    [0, 100],
  ])('is: with %d one-time keys left, make %d', (left, made) => {
    const plan = planPrekeys({ own: pair(NOW), left: { oneTime: left, pqOneTime: 100 }, now: NOW });
    expect(plan).toMatchObject({ oneTime: made, pqOneTime: 0 });
    const other = planPrekeys({ own: pair(NOW), left: { oneTime: 100, pqOneTime: left }, now: NOW });
    expect(other).toMatchObject({ oneTime: 0, pqOneTime: made });
  });

  it('is: keep a signed prekey until a successor was taken, however long that is, and 30 days more', () => {
    const retire = (own: PrekeyRecord[], now: number) => planPrekeys({ own, left: FULL, now }).retire;
    const old = NOW - 400 * DAY;
    expect(retire(pair(old), NOW)).toEqual([]);
    for (const kind of ['signed', 'pq-last-resort'] as const) {
      const own = [record(kind, 1, old, NOW)];
      expect(retire(own, NOW + 30 * DAY - 1)).toEqual([]);
      expect(retire(own, NOW + 30 * DAY)).toEqual([{ kind, id: 1 }]);
    }
  });

  it('is: delete one-time keys 30 days after nobody may use them any more', () => {
    for (const kind of ['one-time', 'pq-one-time'] as const) {
      const own = [record(kind, 3, NOW)];
      expect(planPrekeys({ own, left: FULL, now: NOW + 120 * DAY - 1 }).retire).toEqual([]);
      expect(planPrekeys({ own, left: FULL, now: NOW + 120 * DAY }).retire).toEqual([{ kind, id: 3 }]);
    }
  });

  it('a successor supersedes those of its kind, once', async () => {
    const own = [
      record('signed', 1, NOW, NOW),
      record('signed', 2, NOW),
      record('signed', 3, NOW),
      record('pq-last-resort', 2, NOW),
      record('one-time', 2, NOW),
    ];
    const after = await unchanged(own, async (keys) => supersede(keys, { kind: 'signed', id: 3 }, NOW + 9));
    expect(after.map(({ supersededAt }) => supersededAt)).toEqual([
      NOW,
      NOW + 9,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('what was consumed is gone, and nothing else', async () => {
    const own = [record('one-time', 1, NOW), record('one-time', 2, NOW), record('pq-one-time', 1, NOW)];
    const consumed = [{ kind: 'one-time' as const, id: 1 }];
    const after = await unchanged({ own, consumed }, async (given) => consume(given.own, given.consumed));
    expect(after).toEqual(own.slice(1));
  });
});
