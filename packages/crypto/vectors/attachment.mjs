// Writes attachment.json: `npm run vectors`.
import { CHUNK_BYTES, encryptAttachment } from '../src/attachment.ts';
import { concat } from '../src/bytes.ts';
import { sha256 } from '../src/keys.ts';
import { toHex } from '../src/test-support.ts';
import { fixed, write } from './fixed.mjs';

const key = fixed('attachment key');
const file = async (size) => {
  const chunks = [];
  const reference = await encryptAttachment({
    source: [Uint8Array.from({ length: size }, (_, at) => at % 251)],
    write: (chunk) => void chunks.push(chunk),
    key,
    iv: (index) => fixed(`iv ${index}`, 12),
  });
  const ciphertext = concat(...chunks);
  return {
    size,
    ivs: chunks.map((_, index) => toHex(fixed(`iv ${index}`, 12))),
    ciphertextSha256: toHex(await sha256(ciphertext)),
    hash: toHex(reference.hash),
    ...(size <= 1000 && { ciphertext: toHex(ciphertext) }),
  };
};
const sizes = [0, 1, 1000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 5];
const files = [];
for (const size of sizes) files.push(await file(size));

write('attachment.json', { rule: 'byte i of a file is i mod 251', key: toHex(key), files });
