import type { Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { sha256 } from './keys.ts';
import { I } from './labels.ts';

/** Of the secret that a code stands for. */
export const CODE_BYTES = 16;

// Crockford's base 32: no I, L, O, U.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CHARACTERS = 28;
const GROUP = 4;
const CHECK_BITS = 12n;

/** 12 bits: the first of SHA-256. Finds a slip of the pen, 1 in 4,096 not; says nothing to somebody without the code. */
const check = async (secret: Bytes): Promise<bigint> => {
  const [first, second] = await sha256(I('recovery/check', secret));
  return BigInt((first! << 4) | (second! >> 4));
};

/** Seven groups of four characters, joined by dashes. Throws `bad-encoding` for anything but 16 bytes. */
export const formatRecoveryCode = async (secret: Bytes): Promise<string> => {
  if (secret.length !== CODE_BYTES) throw new CryptoError('bad-encoding', 'recovery secret');
  const number = secret.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const value = (number << CHECK_BITS) | (await check(secret));
  const characters = Array.from(
    { length: CHARACTERS },
    (_, at) => ALPHABET[Number((value >> BigInt(5 * (CHARACTERS - 1 - at))) & 31n)],
  ).join('');
  return characters.match(new RegExp(`.{${GROUP}}`, 'g'))!.join('-');
};

/**
 * The 16 bytes of a code as somebody typed it: upper or lower case, with spaces and dashes anywhere, I and L for 1, O
 * for 0. Throws `recovery-code-malformed` for other characters or another number of them, `recovery-code-checksum`
 * when some are wrong.
 */
export const parseRecoveryCode = async (text: string): Promise<Bytes> => {
  const characters = text
    .replaceAll(/[\s\-\u2010-\u2015]/g, '')
    .toUpperCase()
    .replaceAll(/[IL]/g, '1')
    .replaceAll('O', '0');
  if (!new RegExp(`^[${ALPHABET}]{${CHARACTERS}}$`).test(characters))
    throw new CryptoError('recovery-code-malformed');
  const value = [...characters].reduce((sum, each) => (sum << 5n) | BigInt(ALPHABET.indexOf(each)), 0n);
  const number = value >> CHECK_BITS;
  const secret = Uint8Array.from({ length: CODE_BYTES }, (_, at) =>
    Number((number >> BigInt(8 * (CODE_BYTES - 1 - at))) & 0xffn),
  );
  if ((value & ((1n << CHECK_BITS) - 1n)) !== (await check(secret)))
    throw new CryptoError('recovery-code-checksum');
  return secret;
};
