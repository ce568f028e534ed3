import type { SettingsContent } from '@sotto/contract/content';
import { LIMITS } from '@sotto/contract/limits';
import { encode } from '@sotto/crypto/canonical';
import { blockedOf, mergeBlocks, wireBlocks } from '@sotto/engine/conversations/blocks';
import type { Blocks, SelfRow } from '@sotto/engine/rows';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const blocks: fc.Arbitrary<Blocks> = fc.dictionary(
  fc.constantFrom('ann', 'bob', 'carol', 'dave'),
  fc.record({ blocked: fc.boolean(), at: fc.integer({ min: 0, max: 3 }) }),
);

describe('who is blocked', () => {
  it('is the same whatever was said on which device, heard in whatever order and however often', () => {
    fc.assert(
      fc.property(blocks, blocks, blocks, (a, b, c) => {
        const [left, right] = [mergeBlocks(mergeBlocks(a, b), c), mergeBlocks(a, mergeBlocks(b, c))];
        expect(left).toEqual(right);
        expect(mergeBlocks(a, b)).toEqual(mergeBlocks(b, a));
        expect(mergeBlocks(left, a)).toEqual(left);
        expect(blockedOf(mergeBlocks(a, b))).toEqual(blockedOf(mergeBlocks(b, a)));
      }),
    );
  });

  it('is lost by no other choice that is made at the same time', () => {
    const said = { bob: { blocked: true, at: 5 } };
    expect(blockedOf(mergeBlocks(said, { carol: { blocked: true, at: 9 } }))).toEqual(['bob', 'carol']);
    expect(blockedOf(mergeBlocks(said, { bob: { blocked: false, at: 5 } }))).toEqual(['bob']);
    expect(blockedOf(mergeBlocks(said, { bob: { blocked: false, at: 6 } }))).toEqual([]);
  });

  it('travels in parts that fit into an envelope', () => {
    const name = (index: number) =>
      Buffer.alloc(32, index).toString('base64url').slice(0, 39) + String(index).padStart(4, '0');
    const all = Object.fromEntries(
      Array.from({ length: 501 }, (_, index) => [name(index), { blocked: false, at: 2 ** 50 }]),
    );
    const parts = wireBlocks({ blocks: all } as unknown as SelfRow);
    expect(parts.map(({ length }) => length)).toEqual([500, 1]);
    expect(encode({ kind: 'settings', blocked: parts[0] } as unknown as SettingsContent).length).toBeLessThan(
      LIMITS.envelopeBytes - 8 * 1024,
    );
    expect(wireBlocks({} as SelfRow)).toEqual([[]]);
  });
});
