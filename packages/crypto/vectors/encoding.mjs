// Writes encoding.json: `npm run vectors`.
import { utf8 } from '../src/bytes.ts';
import { encode } from '../src/canonical.ts';
import { paddedLength } from '../src/padding.ts';
import { toHex } from '../src/test-support.ts';
import { createdAt, write } from './fixed.mjs';

const message = { kind: 'text', id: 'AAECAwQFBgcICQoLDA0ODw', sentAt: createdAt, text: 'Servus, Bob 👋' };
const values = [
  null,
  -1,
  '"\\/\n\u0000é👋',
  [1, [], {}],
  { b: 1, a: 'x', Z: null, '': true, 10: 0, 9: 0 },
  message,
];
const refused = [
  ' 1',
  '1.0',
  '-0',
  '1e2',
  '9007199254740993',
  '{"b":1,"a":2}',
  '{"a":1,"a":1}',
  '"\\u0061"',
  '"\\/"',
  '"\\ud800"',
  '\ufeff1',
];
const lengths = [0, 1, 1024, 1025, 2048, 2049, 4096, 4097, 10_000, 65_000];

write('encoding.json', {
  canonical: {
    encodings: values.map((value) => ({ value, encoding: toHex(encode(value)) })),
    refused: refused.map((text) => toHex(utf8(text))),
  },
  padding: lengths.map((length) => [length, paddedLength(length)]),
});
