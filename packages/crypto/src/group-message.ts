import { encodeAddress, readAddress, type Address } from './address.ts';
import { concat, fromBase64url, lp, Reader, toBase64url, u32, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { sha256, type PrivateKey } from './keys.ts';
import { I } from './labels.ts';
import { groupBytes } from './membership-operation.ts';
import type { Opaque } from './step.ts';

/** What a group message says before its ciphertext; all of it is authenticated, twice. */
export interface GroupHeader {
  /** 16 bytes, base64url. */
  readonly group: string;
  readonly from: Address;
  /** The sender key: 16 bytes, base64url. */
  readonly chainId: string;
  /** Its counter. */
  readonly n: number;
  /** The hash of the membership state under which it was sent: 32 bytes. */
  readonly stateHash: Bytes;
  /** 12 bytes, random. */
  readonly iv: Bytes;
}

export interface GroupMessage extends GroupHeader {
  /** HMAC-SHA-256: 32 bytes. AES-GCM alone lets a sender make one ciphertext that is two texts under two keys. */
  readonly tag: Bytes;
  /** 64 bytes. */
  readonly signature: Bytes;
  readonly ciphertext: Bytes;
}

export const GCM_IV_BYTES = 12;
const CHAIN_ID_BYTES = 16;
const HASH_BYTES = 32;
const SIGNATURE_BYTES = 64;
const NONE = new Uint8Array(0);

/** The one choice of parameters: 12 bytes of IV, 128 bits of tag. */
export const gcm = (iv: Bytes, additionalData: Bytes) => ({
  name: 'AES-GCM',
  iv,
  additionalData,
  tagLength: 128,
});

const sized = (bytes: Bytes, length: number): Bytes => {
  if (bytes.length !== length) throw new CryptoError('bad-encoding', `not ${length} bytes`);
  return bytes;
};

/** 16 bytes. Throws `bad-encoding`. */
export const chainIdBytes = (chainId: string): Bytes => sized(fromBase64url(chainId), CHAIN_ID_BYTES);

/** A of the specification. Throws `bad-encoding`. */
export const encodeGroupHeader = (header: GroupHeader): Bytes =>
  concat(
    lp(groupBytes(header.group)),
    encodeAddress(header.from),
    lp(chainIdBytes(header.chainId)),
    u32(header.n),
    sized(header.stateHash, HASH_BYTES),
    sized(header.iv, GCM_IV_BYTES),
  );

/** `A tag(32) signature(64) ciphertext`. */
export const encodeGroupMessage = (message: GroupMessage): Bytes =>
  concat(encodeGroupHeader(message), message.tag, message.signature, message.ciphertext);

/** Claims, until `decryptGroupMessage` has proved them. Throws `cannot-decrypt` for what is malformed. */
export const readGroupMessage = (bytes: Uint8Array): GroupMessage => {
  try {
    const reader = new Reader(bytes);
    const group = toBase64url(sized(reader.lp(), 16));
    const from = readAddress(reader);
    const chainId = toBase64url(sized(reader.lp(), CHAIN_ID_BYTES));
    const n = reader.u32();
    const stateHash = reader.take(HASH_BYTES);
    const iv = reader.take(GCM_IV_BYTES);
    const tag = reader.take(HASH_BYTES);
    const signature = reader.take(SIGNATURE_BYTES);
    return { group, from, chainId, n, stateHash, iv, tag, signature, ciphertext: reader.rest() };
  } catch (error) {
    throw error instanceof CryptoError ? new CryptoError('cannot-decrypt') : error;
  }
};

/** A message as its tag and its signature see it. */
export interface Bound {
  /** A: also what AES-GCM binds. */
  readonly header: Bytes;
  /** SHA-256 of the ciphertext. */
  readonly digest: Bytes;
}

/** Throws `bad-encoding`. */
export const bind = async (header: GroupHeader, ciphertext: Bytes): Promise<Bound> => ({
  header: encodeGroupHeader(header),
  digest: await sha256(ciphertext),
});

/** What the tag is taken of: `A SHA-256(ciphertext)`. */
export const committedBytes = ({ header, digest }: Bound): Bytes => concat(header, digest);

/** What the signature covers: `A tag SHA-256(ciphertext)` under its label. */
export const signedBytes = ({ header, digest }: Bound, tag: Bytes): Bytes =>
  I('group', concat(header, tag, digest));

const ZEROS = new Uint8Array(32);
const COMMIT = I('commit', NONE);

/** The HMAC key that goes with the message at which a chain stands. */
export const commitKey = (chain: Opaque, usage: 'sign' | 'verify'): Promise<PrivateKey> =>
  crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: ZEROS, info: COMMIT },
    chain,
    { name: 'HMAC', hash: 'SHA-256', length: 256 },
    false,
    [usage],
  );
