import { MAX_SKIPPED } from '@sotto/crypto/limits';
import type { ReceiveChain, SkippedKey } from '@sotto/crypto/ratchet';
import { emptyPeer, type PeerState } from '@sotto/crypto/session-state';
import { NO_REPAIRS } from '@sotto/crypto/repair';
import { describe, expect, it } from 'vitest';
import type { PeerRow } from '../rows.ts';
import { missingOf, withMissing } from './missing.ts';

const peer = { account: 'ann', device: 'phone' };
const current = { n: 3 } as ReceiveChain;
const left = (n: number, end: number) => ({ n, old: { end, since: 0 } }) as ReceiveChain;

const stateOf = (...ratchets: { skipped: number; receiving: ReceiveChain[] }[]): PeerState => ({
  ...emptyPeer(peer),
  sessions: ratchets.map(({ skipped, receiving }) => ({
    ratchet: { skipped: Array.from({ length: skipped }, () => ({}) as SkippedKey), receiving },
  })) as unknown as PeerState['sessions'],
});

describe('what is missing of a device', () => {
  it('is what waits between messages, and at the end of chains that it has left', () => {
    expect(missingOf(stateOf())).toBe(0);
    expect(missingOf(stateOf({ skipped: 0, receiving: [current] }))).toBe(0);
    const one = { skipped: 2, receiving: [current, left(2, 3), left(0, 4)] };
    expect(missingOf(stateOf(one, { skipped: 1, receiving: [] }))).toBe(2 + 1 + 4 + 1);
  });

  it('is by the word of the device no more than would be kept', () => {
    const far = { skipped: 0, receiving: [current, left(2, 2 ** 32 - 1), left(0, 1)] };
    expect(missingOf(stateOf(far))).toBe(MAX_SKIPPED + 1);
  });

  it('counts as asked for no longer once it came or was given up', () => {
    const row: PeerRow = { ...peer, state: stateOf(), repairs: NO_REPAIRS, renew: false };
    const state = stateOf({ skipped: 1, receiving: [current] });
    expect(withMissing({ ...row, missing: 3, asked: 3, state })).toMatchObject({ missing: 1, asked: 1 });
    const asked = { ...row, missing: 1, asked: 1, state };
    expect(withMissing(asked)).toBe(asked);
    const more = stateOf({ skipped: 1, receiving: [current, left(1, 2)] });
    expect(withMissing({ ...asked, state: more })).toMatchObject({ missing: 2, asked: 1 });
  });
});
