import { concat, toBase64url, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';

/** WebCrypto's `CryptoKey`, named so that it also resolves under Node's types, which have no such global. */
export type PrivateKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

export interface KeyPair {
  /** 65 bytes: an uncompressed point, the first byte 0x04. */
  publicKey: Bytes;
  /** Not extractable. */
  privateKey: PrivateKey;
}

const SIGNATURE_BYTES = 64;
const POINT_BYTES = 65;

// P-256: y² = x³ - 3x + B over the field of P elements, a group of prime order N (FIPS 186-5, SP 800-186).
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Of 32 bytes. */
const toInteger = (bytes: Uint8Array): bigint => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  let value = 0n;
  for (let at = 0; at < 32; at += 8) value = (value << 64n) | view.getBigUint64(at);
  return value;
};

const toScalar = (value: bigint): Bytes =>
  Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * (31 - i))) & 0xffn));

/**
 * Throws `bad-key` for anything but an uncompressed point on the curve. Done here because engines differ: some take
 * compressed points, and not all check the curve when they import.
 */
export const checkPoint = (publicKey: Uint8Array): void => {
  if (publicKey.length !== POINT_BYTES || publicKey[0] !== 4) throw new CryptoError('bad-key');
  const x = toInteger(publicKey.subarray(1, 33));
  const y = toInteger(publicKey.subarray(33));
  if (x >= P || y >= P || (y * y - (x * x * x - 3n * x + B)) % P !== 0n) throw new CryptoError('bad-key');
};

const generate = async (
  name: 'ECDSA' | 'ECDH',
  usages: ('sign' | 'deriveKey' | 'deriveBits')[],
): Promise<KeyPair> => {
  const pair = await crypto.subtle.generateKey({ name, namedCurve: 'P-256' }, false, usages);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return { publicKey, privateKey: pair.privateKey };
};

/** A device's signing key: ECDSA. */
export const generateSigningKey = (): Promise<KeyPair> => generate('ECDSA', ['sign']);

/** A device's identity key: ECDH whose shared secret can only become another key, never bytes. */
export const generateAgreementKey = (): Promise<KeyPair> => generate('ECDH', ['deriveKey']);

/** A key for HPKE, which needs the shared secret as bytes: a sealing key, or an ephemeral one. */
export const generateSealingPair = (): Promise<KeyPair> => generate('ECDH', ['deriveBits']);

/** A public ECDH key to derive with. Throws `bad-key`. */
export const importAgreementKey = async (publicKey: Bytes) => {
  checkPoint(publicKey);
  return crypto.subtle.importKey('raw', publicKey, { name: 'ECDH', namedCurve: 'P-256' }, true, []);
};

/**
 * ECDSA over SHA-256 of `message`: 64 bytes, r and s, with s at most half the order. Engines give either of the two
 * s that verify; one of them is chosen so that a signature cannot be turned into another.
 */
export const sign = async (privateKey: PrivateKey, message: Bytes): Promise<Bytes> => {
  const raw = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, message);
  const signature = new Uint8Array(raw);
  const s = toInteger(signature.subarray(32));
  return s > N / 2n ? concat(signature.subarray(0, 32), toScalar(N - s)) : signature;
};

/** False for anything but 64 bytes of low-s signature over `message`. Throws `bad-key` for a bad public key. */
export const verify = async (publicKey: Bytes, signature: Bytes, message: Bytes): Promise<boolean> => {
  checkPoint(publicKey);
  if (signature.length !== SIGNATURE_BYTES) return false;
  const r = toInteger(signature.subarray(0, 32));
  const s = toInteger(signature.subarray(32));
  if (r === 0n || r >= N || s === 0n || s > N / 2n) return false;
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', publicKey, algorithm, true, ['verify']);
  return crypto.subtle.verify(algorithm, key, signature, message);
};

export const sha256 = async (bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

/** The first 16 bytes of SHA-256 of the public signing key, base64url. Throws `bad-key`. */
export const deviceId = async (signingPublic: Bytes): Promise<string> => {
  checkPoint(signingPublic);
  return toBase64url((await sha256(signingPublic)).subarray(0, 16));
};
