import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, equal, fromBase64url, lp, Reader, toBase64url, u16, u32, u64, u8, utf8 } from './bytes.ts';
import { fromHex, toHex } from './test-support.ts';

const bytes = () => fc.uint8Array({ maxLength: 100 }).map((array) => new Uint8Array(array));
const refused = expect.objectContaining({ code: 'bad-encoding' });

describe('integers', () => {
  it('are big endian', () => {
    const all = concat(u8(0x01), u16(0x0203), u32(0x04050607), u64(0x08090a0b0c0d));
    expect(toHex(all)).toBe('01020304050607000008090a0b0c0d');
  });

  it.each([
    [u8, 255],
    [u16, 65_535],
    [u32, 0xffffffff],
    [u64, Number.MAX_SAFE_INTEGER],
  ])('stay within their size', (write, largest) => {
    expect(() => write(largest)).not.toThrow();
    for (const value of [largest + 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => write(value)).toThrow(refused);
    }
  });

  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(0xffffffff), fc.nat(0xffff), fc.nat(0xff), (a, b, c, d) => {
        const reader = new Reader(concat(u64(a), u32(b), u16(c), u8(d)));
        expect([reader.u64(), reader.u32(), reader.u16(), reader.u8()]).toEqual([a, b, c, d]);
        reader.end();
      }),
    );
  });

  it('past 2^53 - 1 are refused', () => {
    expect(new Reader(fromHex('001fffffffffffff')).u64()).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => new Reader(fromHex('0020000000000000')).u64()).toThrow(refused);
    expect(() => new Reader(fromHex('ffffffffffffffff')).u64()).toThrow(refused);
  });
});

describe('lp', () => {
  it('is a length and the bytes', () => {
    expect(toHex(lp(fromHex('aabbcc')))).toBe('0003aabbcc');
    expect(toHex(lp(fromHex('')))).toBe('0000');
  });

  it('ends at 65,535 bytes', () => {
    expect(lp(new Uint8Array(65_535)).length).toBe(65_537);
    expect(() => lp(new Uint8Array(65_536))).toThrow(refused);
  });
});

describe('Reader', () => {
  it('comes back to the parts, and to no more', () => {
    fc.assert(
      fc.property(fc.array(bytes(), { maxLength: 5 }), bytes(), (parts, tail) => {
        const reader = new Reader(concat(...parts.map(lp), tail));
        for (const part of parts) expect(reader.lp()).toEqual(part);
        expect(reader.rest()).toEqual(tail);
        reader.end();
        expect(() => reader.u8()).toThrow(refused);
      }),
    );
  });

  it('refuses truncation and trailing bytes', () => {
    const whole = lp(fromHex('aabbcc'));
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => new Reader(whole.subarray(0, length)).lp()).toThrow(refused);
    }
    expect(() => new Reader(fromHex('00')).end()).toThrow(refused);
  });

  it('hands out copies, of a Buffer too', () => {
    class Sharing extends Uint8Array<ArrayBuffer> {
      override slice(from?: number, to?: number) {
        return this.subarray(from, to);
      }
    }
    const source = new Sharing(new Uint8Array([1, 2, 3]).buffer);
    const taken = new Reader(source).take(3);
    source[0] = 9;
    expect(taken).toEqual(new Uint8Array([1, 2, 3]));
    expect(taken.constructor).toBe(Uint8Array);
  });
});

describe('utf8', () => {
  it('is UTF-8', () => {
    expect(toHex(utf8('aé€😀'))).toBe('61c3a9e282acf09f9880');
  });

  it.each(['\ud800', 'a\udc00b', '\udc00\ud800'])('refuses a lone surrogate', (text) => {
    expect(() => utf8(text)).toThrow(refused);
  });
});

describe('equal', () => {
  it('compares contents and lengths', () => {
    expect(equal(fromHex('0102'), fromHex('0102'))).toBe(true);
    expect(equal(fromHex('0102'), fromHex('0103'))).toBe(false);
    expect(equal(fromHex('0102'), fromHex('0002'))).toBe(false);
    expect(equal(fromHex('0102'), fromHex('01'))).toBe(false);
    expect(equal(fromHex(''), fromHex(''))).toBe(true);
  });
});

describe('base64url', () => {
  // RFC 4648 section 10, without padding, and the two letters that differ from base64.
  it.each([
    ['', ''],
    ['66', 'Zg'],
    ['666f', 'Zm8'],
    ['666f6f', 'Zm9v'],
    ['666f6f62', 'Zm9vYg'],
    ['fbff', '-_8'],
  ])('writes %s as %s and reads it', (hex, text) => {
    expect(toBase64url(fromHex(hex))).toBe(text);
    expect(toHex(fromBase64url(text))).toBe(hex);
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(bytes(), (value) => {
        expect(fromBase64url(toBase64url(value))).toEqual(value);
      }),
    );
  });

  it('A6 reads nothing that it does not write', () => {
    for (const text of ['A', 'AAAAA', 'Zg==', 'Zh', 'Zm9', '+_8', '-/8', 'Zm 8', 'Zm8\n', 'Zmé', '😀AA']) {
      expect(() => fromBase64url(text), text).toThrow(refused);
    }
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'AQgwZz09-_=+/'), maxLength: 6 }), (text) => {
        let read;
        try {
          read = fromBase64url(text);
        } catch {
          return;
        }
        expect(toBase64url(read)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });
});
