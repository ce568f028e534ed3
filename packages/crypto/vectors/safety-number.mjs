// Writes safety-number.json: `npm run vectors`.
import { toBase64url } from '../src/bytes.ts';
import { safetyNumber, safetyQr } from '../src/safety-number.ts';
import { toHex } from '../src/test-support.ts';
import { fixed, write } from './fixed.mjs';

const pairs = [
  ['alice', 'bob'],
  ['bob', 'alice'],
  ['alice', 'carol'],
].map((names) => names.map((name) => toBase64url(fixed(`account ${name}`))));

write(
  'safety-number.json',
  await Promise.all(
    pairs.map(async ([mine, theirs]) => ({
      mine,
      theirs,
      digits: await safetyNumber(mine, theirs),
      qr: toHex(safetyQr(mine, theirs)),
    })),
  ),
);
