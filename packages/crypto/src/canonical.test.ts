import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from './bytes.ts';
import { decode, encode, MAX_DEPTH } from './canonical.ts';
import { fromHex } from './test-support.ts';

const refused = expect.objectContaining({ code: 'bad-encoding' });
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);

describe('encode', () => {
  it.each([
    [null, 'null'],
    [true, 'true'],
    [0, '0'],
    [-9_007_199_254_740_991, '-9007199254740991'],
    ['', '""'],
    ['a"\\/\b\f\n\r\t\u0000\u001f\u007f\u2028é😀', '"a\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u007f\u2028é😀"'],
    [[1, [2], {}], '[1,[2],{}]'],
    [{ b: 1, a: [], B: null, '': 0, 10: 1, 9: 2 }, '{"":0,"10":1,"9":2,"B":null,"a":[],"b":1}'],
    // By code unit, a surrogate stands before U+FB33; by code point it would not.
    [{ '\ufb33': 1, '😀': 2, é: 3 }, '{"é":3,"😀":2,"\ufb33":1}'],
    [Object.assign(Object.create(null) as object, { a: 1 }), '{"a":1}'],
  ])('writes %j one way', (value, expected) => expect(text(encode(value))).toBe(expected));

  it.each([
    ['undefined', undefined],
    ['an undefined property', { a: undefined }],
    ['a hole', Array(1)],
    ['a fraction', 0.5],
    ['minus zero', -0],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['an unsafe integer', 2 ** 53],
    ['a bigint', 1n],
    ['a symbol', Symbol('a')],
    ['a function', () => 1],
    ['a symbol key', { [Symbol('a')]: 1 }],
    ['a lone surrogate', 'a\ud800'],
    ['a lone surrogate in a key', { '\udc00': 1 }],
    ['a key __proto__', JSON.parse('{"__proto__":1}')],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['bytes', new Uint8Array(1)],
    ['an instance', new Error('a')],
    ['an array with a name in it', Object.assign([1], { a: 2 })],
    ['a boxed string', Object('a')],
  ])('refuses %s', (_, value) => expect(() => encode(value)).toThrow(refused));

  it(`takes ${MAX_DEPTH} levels and no more`, () => {
    expect(() => encode(nested(MAX_DEPTH))).not.toThrow();
    expect(() => encode(nested(MAX_DEPTH + 1))).toThrow(refused);
    const circle: unknown[] = [];
    circle.push(circle);
    expect(() => encode(circle)).toThrow(refused);
  });
});

describe('decode', () => {
  const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger().map((integer) => integer + 0),
      fc.string({ unit: 'binary' }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        fc.string({ unit: 'binary' }).filter((key) => key !== '__proto__'),
        tie('value'),
        { maxKeys: 4, noNullPrototype: true },
      ),
    ),
  }));

  it('comes back to what was encoded', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(decode(encode(value))).toEqual(value);
      }),
    );
  });

  it('A6 reads no other bytes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), (json) => {
        let value;
        try {
          value = decode(utf8(json));
        } catch {
          return;
        }
        expect(text(encode(value))).toBe(json);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    '',
    ' 1',
    '1 ',
    '1.0',
    '1e2',
    '01',
    '-0',
    '9007199254740993',
    '0.5',
    '{"b":1,"a":2}',
    '{"a":1,"a":1}',
    '{"a": 1}',
    '[1,]',
    '"\\u0061"',
    '"\\/"',
    '"\\u001F"',
    '"\\ud800"',
    '{"__proto__":1}',
    '{"\\ud800":1}',
    '1\n2',
    'undefined',
    'NaN',
  ])('A6 refuses %j', (json) => expect(() => decode(utf8(json))).toThrow(refused));

  it.each([
    ['a byte order mark', 'efbbbf31'],
    ['an overlong form', '22c0af22'],
    ['an encoded surrogate', '22eda08022'],
    ['a cut sequence', '22e28222'],
    ['a stray byte', '22ff22'],
    ['UTF-16', 'feff0031'],
  ])('A6 refuses %s', (_, hex) => expect(() => decode(fromHex(hex))).toThrow(refused));

  it(`refuses more than ${MAX_DEPTH} levels, however many`, () => {
    const levels = (count: number) => utf8(`${'['.repeat(count)}${']'.repeat(count)}`);
    expect(() => decode(levels(MAX_DEPTH))).not.toThrow();
    for (const count of [MAX_DEPTH + 1, 1000, 30_000]) expect(() => decode(levels(count))).toThrow(refused);
  });

  it('leaves the prototype of everything alone', () => {
    expect(() => decode(utf8('{"a":{"__proto__":{"polluted":true}}}'))).toThrow(refused);
    expect('polluted' in {}).toBe(false);
  });
});
