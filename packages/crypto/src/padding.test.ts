import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPadded, pad, paddedLength } from './padding.ts';

describe('paddedLength', () => {
  it.each([
    [0, 1024],
    [1, 1024],
    [1024, 1024],
    [1025, 2048],
    [2048, 2048],
    [2049, 2176],
    [2176, 2176],
    [2177, 2304],
    [4095, 4096],
    [4096, 4096],
    [4097, 4352],
    [65_535, 65_536],
    [65_537, 67_584],
  ])('makes %i into %i', (length, padded) => expect(paddedLength(length)).toBe(padded));

  it('grows by less than 12 % past 2,048, never shrinks, and leaves what is padded alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2049, max: 2 ** 24 }), (length) => {
        const padded = paddedLength(length);
        expect(padded).toBeGreaterThanOrEqual(length);
        expect(padded).toBeLessThan(length * 1.12);
        expect(paddedLength(padded)).toBe(padded);
        expect(paddedLength(length - 1)).toBeLessThanOrEqual(padded);
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves few lengths: two, and sixteen for each doubling from 2,048 to 65,536', () => {
    const lengths = new Set(Array.from({ length: 65_537 }, (_, length) => paddedLength(length)));
    expect(lengths.size).toBe(2 + 16 * 5);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 31])('refuses %d', (length) => {
    expect(() => paddedLength(length)).toThrow(expect.objectContaining({ code: 'bad-encoding' }));
  });
});

describe('pad', () => {
  it('appends zeros, and isPadded knows', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        const before = new Uint8Array(bytes);
        const padded = pad(bytes);
        expect(padded.length).toBe(paddedLength(bytes.length));
        expect(padded.subarray(0, bytes.length)).toEqual(before);
        expect(isPadded(padded, bytes.length)).toBe(true);
        expect(bytes).toEqual(before);
      }),
    );
  });

  it('is not pad: another byte, another length', () => {
    const padded = pad(new Uint8Array(10));
    for (const at of [10, 500, 1023]) {
      const changed = new Uint8Array(padded);
      changed[at] = 1;
      expect(isPadded(changed, 10), `byte ${at}`).toBe(false);
    }
    expect(isPadded(padded.subarray(0, 1023), 10)).toBe(false);
    expect(isPadded(new Uint8Array(1025), 10)).toBe(false);
    expect(isPadded(new Uint8Array(2048), 10)).toBe(false);
    expect(isPadded(padded, 1025)).toBe(false);
  });
});
