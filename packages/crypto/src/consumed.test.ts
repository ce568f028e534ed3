import { describe, expect, it } from 'vitest';
import { concat, u32, type Bytes } from './bytes.ts';
import { entryOf, recall, remember, type Consumed } from './consumed.ts';
import { MAX_CONSUMED } from './limits.ts';
import { toHex } from './test-support.ts';

const ENTRY_BYTES = 28;

/** Message `n` of a chain, or another one under its counter. */
const entry = (n: number, hash = 0): Bytes =>
  concat(new Uint8Array(8).fill(5), u32(n), u32(n + hash), u32(hash), u32(0), u32(0));

const after = (count: number): Consumed => {
  let consumed: Consumed = [];
  for (let n = 0; n < count; n += 1) consumed = remember(consumed, entry(n));
  return consumed;
};

describe('used counters', () => {
  it('an entry is 8 bytes of the ratchet key, the number, 16 bytes of the hash', async () => {
    const ratchet = Uint8Array.from({ length: 65 }, (_, i) => i);
    const header = { ratchet, previous: 0, n: 7, iv: new Uint8Array(12), bytes: new Uint8Array(85) };
    const made = await entryOf(header, new Uint8Array(0));
    expect(toHex(made)).toBe('010203040506070800000007e3b0c44298fc1c149afbf4c8996fb924');
  });

  it.each([1, 39, 40, 41, 80, MAX_CONSUMED - 1, MAX_CONSUMED, MAX_CONSUMED + 1, MAX_CONSUMED + 81])(
    'of %i the newest are there, in their order',
    (count) => {
      const consumed = after(count);
      const first = Math.max(0, count - MAX_CONSUMED);
      const kept = Array.from({ length: count - first }, (_, i) => entry(first + i));
      expect(toHex(concat(...consumed))).toBe(toHex(concat(...kept)));
      for (const part of consumed) expect(part.buffer.byteLength, 'no view').toBe(part.length);
      expect(consumed.every(({ length }) => length > 0 && length <= 40 * ENTRY_BYTES)).toBe(true);
      for (let n = 0; n < count; n += 1) {
        expect(recall(consumed, entry(n))).toBe(n < first ? undefined : 'duplicate');
        expect(recall(consumed, entry(n, 1))).toBe(n < first ? undefined : 'rollback');
      }
      expect(recall(consumed, entry(count))).toBeUndefined();
    },
  );

  it('every byte of an entry counts', () => {
    const consumed = after(41);
    for (const n of [0, 39, 40]) {
      for (let at = 0; at < ENTRY_BYTES; at += 1) {
        const other = entry(n);
        other[at]! ^= 0x80;
        expect(recall(consumed, other)).toBe(at < 12 ? undefined : 'rollback');
      }
    }
  });

  it.each([0, 1, 40, MAX_CONSUMED])('what was there before %i more stays as it is', (count) => {
    const consumed = after(count);
    const before = consumed.map(toHex);
    remember(consumed, entry(count));
    expect(consumed.map(toHex)).toEqual(before);
  });
});
