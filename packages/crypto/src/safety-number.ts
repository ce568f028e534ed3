import { concat, equal, fromBase64url, Reader, u8, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { I } from './labels.ts';

/** Digits of a safety number: two halves, one for each account. */
export const SAFETY_DIGITS = 60;

const ITERATIONS = 100_000;
const GROUP_BYTES = 5;
const GROUP_DIGITS = 5;
const GROUPS_PER_ACCOUNT = SAFETY_DIGITS / 2 / GROUP_DIGITS;
const ACCOUNT_BYTES = 32;
const QR_VERSION = 1;
const NONE = new Uint8Array(0);
const QR_PREFIX = I('safety-number', NONE);

const accountBytes = (account: string): Bytes => {
  const bytes = fromBase64url(account);
  if (bytes.length !== ACCOUNT_BYTES) throw new CryptoError('bad-encoding', 'account');
  return bytes;
};

/** Two different accounts. Throws `bad-encoding`. */
const pair = (mine: string, theirs: string): [Bytes, Bytes] => {
  if (mine === theirs) throw new CryptoError('bad-encoding', 'an account beside itself');
  return [accountBytes(mine), accountBytes(theirs)];
};

/** 30 digits of one account. Slow on purpose: somebody who looks for an account with the same ones tries many. */
const half = async (account: Bytes): Promise<string> => {
  const key = await crypto.subtle.importKey('raw', account, 'PBKDF2', false, ['deriveBits']);
  const algorithm = {
    name: 'PBKDF2',
    hash: 'SHA-512',
    salt: I('safety-number', NONE),
    iterations: ITERATIONS,
  };
  const bytes = new Uint8Array(
    await crypto.subtle.deriveBits(algorithm, key, 8 * GROUP_BYTES * GROUPS_PER_ACCOUNT),
  );
  const groups = Array.from({ length: GROUPS_PER_ACCOUNT }, (_, at) =>
    bytes.subarray(at * GROUP_BYTES, (at + 1) * GROUP_BYTES).reduce((sum, byte) => sum * 256 + byte, 0),
  );
  return groups.map((group) => String(group % 10 ** GROUP_DIGITS).padStart(GROUP_DIGITS, '0')).join('');
};

/**
 * The 60 digits that two people compare: the same on both sides, made of the account ids, that is of the first events
 * of their chains, so that they last as long as the accounts. The smaller half comes first. After Signal's numeric
 * fingerprint, with PBKDF2-SHA-512 in place of its iterated hash. Throws `bad-encoding` for malformed or equal ids.
 */
export const safetyNumber = async (mine: string, theirs: string): Promise<string> => {
  const halves = await Promise.all(pair(mine, theirs).map(half));
  return halves.toSorted().join('');
};

/** What a QR code says, for the other person to scan. Throws `bad-encoding` for malformed or equal ids. */
export const safetyQr = (mine: string, theirs: string): Bytes =>
  concat(QR_PREFIX, u8(QR_VERSION), ...pair(mine, theirs));

/**
 * Whether what was scanned is what the other person's device shows when both see the same accounts. Throws
 * `bad-encoding` for anything but such a code, `unsupported` for one of another version.
 */
export const matchesSafetyQr = (mine: string, theirs: string, scanned: Uint8Array): boolean => {
  const expected = safetyQr(theirs, mine);
  const reader = new Reader(scanned);
  if (!equal(reader.take(QR_PREFIX.length), QR_PREFIX)) throw new CryptoError('bad-encoding', 'another code');
  if (reader.u8() !== QR_VERSION) throw new CryptoError('unsupported');
  reader.take(2 * ACCOUNT_BYTES);
  reader.end();
  return equal(scanned, expected);
};
