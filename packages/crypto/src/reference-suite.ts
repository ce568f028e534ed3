/// <reference types="node" />
// What the tests hold the vectors against: written from docs/protocol.md over node:crypto, sharing nothing with the
// code under test.
import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPublicKey,
  hkdfSync,
  verify,
} from 'node:crypto';

export const hex = (text: string): Buffer => Buffer.from(text, 'hex');
export const id = (text: string): Buffer => Buffer.from(text, 'base64url');
export const sha = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest();

export const int = (value: number, size: number): Buffer =>
  hex(
    BigInt(value)
      .toString(16)
      .padStart(2 * size, '0'),
  );
export const lp = (bytes: Uint8Array): Buffer => Buffer.concat([int(bytes.length, 2), bytes]);
export const info = (label: string, ...context: readonly Uint8Array[]): Buffer =>
  Buffer.concat([lp(Buffer.from(`sotto/1/${label}`)), int(1, 2), ...context]);

export const hkdf = (salt: Uint8Array, key: Uint8Array, context: Uint8Array): Buffer =>
  Buffer.from(hkdfSync('sha256', key, salt, context, 32));
export const hmac = (key: Uint8Array, message: Uint8Array): Buffer =>
  createHmac('sha256', key).update(message).digest();
export const Z = Buffer.alloc(32);

/** Ciphertext and tag. */
export const gcm = (key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer => {
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
};

export const ungcm = (key: Uint8Array, iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer => {
  const decipher = createDecipheriv('aes-256-gcm', key, iv);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
};

/** Whether 64 bytes are a signature, by a public key given as a point in hex. */
export const signed = (point: string, signature: Uint8Array, message: Uint8Array): boolean => {
  const prefix = hex('3059301306072a8648ce3d020106082a8648ce3d030107034200');
  const key = createPublicKey({ key: Buffer.concat([prefix, hex(point)]), format: 'der', type: 'spki' });
  return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
};

/** RFC 9180, OpenBase: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. */
export const hpkeOpen = (
  pair: { private: string; public: string },
  enc: Uint8Array,
  context: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Buffer => {
  const text = (value: string) => Buffer.from(value);
  const kem = Buffer.concat([text('KEM'), hex('0010')]);
  const suite = Buffer.concat([text('HPKE'), hex('001000010002')]);
  const extract = (salt: Uint8Array, own: Uint8Array, label: string, ikm: Uint8Array) =>
    hmac(salt, Buffer.concat([text('HPKE-v1'), own, text(label), ikm]));
  const expand = (prk: Uint8Array, own: Uint8Array, label: string, about: Uint8Array, length: number) => {
    const whole = Buffer.concat([int(length, 2), text('HPKE-v1'), own, text(label), about]);
    return hmac(prk, Buffer.concat([whole, hex('01')])).subarray(0, length);
  };
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(hex(pair.private));
  const eae = extract(Z, kem, 'eae_prk', ecdh.computeSecret(enc));
  const shared = expand(eae, kem, 'shared_secret', Buffer.concat([enc, hex(pair.public)]), 32);
  const schedule = Buffer.concat([
    hex('00'),
    extract(Z, suite, 'psk_id_hash', hex('')),
    extract(Z, suite, 'info_hash', context),
  ]);
  const secret = extract(shared, suite, 'secret', hex(''));
  const key = expand(secret, suite, 'key', schedule, 32);
  return ungcm(key, expand(secret, suite, 'base_nonce', schedule, 12), aad, sealed);
};
