import { createRequire } from 'node:module';
import fc from 'fast-check';
import { Encoder } from 'socket.io-msgpack-parser';
import { expect, it } from 'vitest';
import { checkFrame } from './parser.ts';

const encode = (data: unknown): Uint8Array =>
  (new Encoder() as unknown as { encode: (packet: unknown) => [Uint8Array] }).encode(data)[0];

it('lets through whatever the encoder makes of JSON and bytes', () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.maxSafeInteger(),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ minLength: 300, maxLength: 70_000, size: 'max' }),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie('value'), { maxLength: 40 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 20 }),
    ),
  }));
  fc.assert(fc.property(value, (data) => checkFrame(encode(data))));
});

it('I: refuses every truncation and every byte too many', () => {
  const frame = encode({
    type: 2,
    data: ['send', { ids: ['a', 'b'], n: [1, 70_000, -5, 1.5], b: Buffer.alloc(9) }],
  });
  checkFrame(frame);
  for (let end = 0; end < frame.length; end += 1) expect(() => checkFrame(frame.subarray(0, end))).toThrow();
  expect(() => checkFrame(Buffer.concat([frame, Buffer.from([0xc0])]))).toThrow('trailing');
});

it.each([
  ['arrays that claim gigabytes', Buffer.from('dd01ffffff'.repeat(30), 'hex'), 'truncated'],
  ['a map that claims gigabytes', Buffer.from('dfffffffff', 'hex'), 'truncated'],
  ['a string that claims gigabytes', Buffer.from('dbffffffff', 'hex'), 'truncated'],
  ['bytes that claim gigabytes', Buffer.from('c6ffffffff', 'hex'), 'truncated'],
  ['an extension that claims a gigabyte', Buffer.from('c94000000000', 'hex'), 'extension'],
  ['a fixed extension', Buffer.from('d40100', 'hex'), 'extension'],
  ['the byte that has no meaning', Buffer.from('c1', 'hex'), 'extension'],
  ['a thousand levels', Buffer.from(`${'91'.repeat(1000)}c0`, 'hex'), 'too deep'],
])('I: refuses %s', (_name, frame, reason) => {
  expect(() => checkFrame(frame)).toThrow(reason);
});

it('the module is what Socket.IO asks a parser to be', async () => {
  const ours = await import('./parser.ts');
  const theirs = createRequire(import.meta.url)('socket.io-msgpack-parser') as { protocol: number };
  expect(ours.protocol).toBe(theirs.protocol);
});
