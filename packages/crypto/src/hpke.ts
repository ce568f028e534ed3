import { concat, u8, u16, utf8, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { generateSealingPair, importAgreementKey, type KeyPair, type PrivateKey } from './keys.ts';

/** DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and one of two AEADs, by the names that RFC 9180 gives them. */
export interface Suite {
  readonly aead: 0x0001 | 0x0002;
  readonly keyBytes: 16 | 32;
}

export const AES_128_GCM: Suite = { aead: 0x0001, keyBytes: 16 };
export const AES_256_GCM: Suite = { aead: 0x0002, keyBytes: 32 };

/** The length of `enc`: an uncompressed point. */
export const ENC_BYTES = 65;
export const TAG_BYTES = 16;

const KEM = 0x0010;
const KDF = 0x0001;
const NONCE_BYTES = 12;
const HASH_BYTES = 32;
const BASE_MODE = u8(0);
const NONE = new Uint8Array(0);
// The same as the RFC's empty salt, as HMAC pads its key, and a key that WebCrypto imports.
const EMPTY_SALT = new Uint8Array(HASH_BYTES);

const VERSION = utf8('HPKE-v1');
const KEM_ID = concat(utf8('KEM'), u16(KEM));
const suiteId = (suite: Suite) => concat(utf8('HPKE'), u16(KEM), u16(KDF), u16(suite.aead));

const EAE_PRK = utf8('eae_prk');
const SHARED_SECRET = utf8('shared_secret');
const PSK_ID_HASH = utf8('psk_id_hash');
const INFO_HASH = utf8('info_hash');
const SECRET = utf8('secret');
const KEY = utf8('key');
const BASE_NONCE = utf8('base_nonce');

const labeledIkm = (id: Bytes, label: Bytes, ikm: Bytes) => concat(VERSION, id, label, ikm);
const labeledInfo = (id: Bytes, label: Bytes, info: Bytes, length: number) =>
  concat(u16(length), VERSION, id, label, info);

const hkdf = (salt: Bytes, info: Bytes) => ({ name: 'HKDF', hash: 'SHA-256', salt, info });

const hkdfKey = (ikm: Bytes, usages: ('deriveBits' | 'deriveKey')[]) =>
  crypto.subtle.importKey('raw', ikm, 'HKDF', false, usages);

/** Decap, or Encap when `own` is the ephemeral key: ExtractAndExpand(DH(own, other), enc ‖ recipient). */
const sharedSecret = async (own: KeyPair, other: Bytes, kemContext: Bytes): Promise<Bytes> => {
  const peer = await importAgreementKey(other);
  const dh = new Uint8Array(
    await crypto.subtle.deriveBits({ name: 'ECDH', public: peer }, own.privateKey, 256),
  );
  const ikm = await hkdfKey(labeledIkm(KEM_ID, EAE_PRK, dh), ['deriveBits']);
  const info = labeledInfo(KEM_ID, SHARED_SECRET, kemContext, HASH_BYTES);
  return new Uint8Array(await crypto.subtle.deriveBits(hkdf(EMPTY_SALT, info), ikm, 8 * HASH_BYTES));
};

/**
 * KeySchedule in base mode, begun beside the shared secret: the AEAD key, and the base nonce, which is the nonce of the
 * first message.
 */
const keySchedule = async (
  suite: Suite,
  sharing: Promise<Bytes>,
  info: Bytes,
  usage: 'encrypt' | 'decrypt' | 'wrapKey' | 'unwrapKey',
) => {
  const id = suiteId(suite);
  const mac = { name: 'HMAC', hash: 'SHA-256' };
  const importing = crypto.subtle.importKey('raw', EMPTY_SALT, mac, false, ['sign']);
  const extract = async (label: Bytes, ikm: Bytes) =>
    new Uint8Array(await crypto.subtle.sign(mac, await importing, labeledIkm(id, label, ikm)));
  const [shared, secret, ...hashes] = await Promise.all([
    sharing,
    hkdfKey(labeledIkm(id, SECRET, NONE), ['deriveBits', 'deriveKey']),
    extract(PSK_ID_HASH, NONE),
    extract(INFO_HASH, info),
  ]);
  const context = concat(BASE_MODE, ...hashes);
  const { keyBytes } = suite;
  const [key, nonce] = await Promise.all([
    crypto.subtle.deriveKey(
      hkdf(shared, labeledInfo(id, KEY, context, keyBytes)),
      secret,
      { name: 'AES-GCM', length: 8 * keyBytes },
      false,
      [usage],
    ),
    crypto.subtle.deriveBits(
      hkdf(shared, labeledInfo(id, BASE_NONCE, context, NONCE_BYTES)),
      secret,
      8 * NONCE_BYTES,
    ),
  ]);
  return { key, nonce: new Uint8Array(nonce) };
};

const gcm = (iv: Bytes, additionalData: Bytes) => ({
  name: 'AES-GCM',
  iv,
  additionalData,
  tagLength: 8 * TAG_BYTES,
});

/** The AEAD key and nonce for a recipient, and what they open with. Throws `bad-key`. */
const encapsulate = async (
  { suite, recipient, info, ephemeral }: { suite: Suite; recipient: Bytes; info: Bytes; ephemeral?: KeyPair },
  usage: 'encrypt' | 'wrapKey',
) => {
  const own = ephemeral ?? (await generateSealingPair());
  const enc = new Uint8Array(own.publicKey);
  const shared = sharedSecret(own, recipient, concat(enc, recipient));
  return { enc, ...(await keySchedule(suite, shared, info, usage)) };
};

/** An OperationError is the AEAD's no. Anything else is a mistake of the caller and stays visible. */
const refusal = (error: unknown): unknown =>
  error instanceof CryptoError || (error instanceof Error && error.name === 'OperationError')
    ? new CryptoError('cannot-open')
    : error;

/**
 * RFC 9180, base mode, single shot: SealBase. `ephemeral` is fresh unless given, and must serve one message only.
 * Throws `bad-key` when `recipient` is not a point.
 */
export const seal = async (request: {
  suite: Suite;
  recipient: Bytes;
  info: Bytes;
  aad: Bytes;
  plaintext: Bytes;
  ephemeral?: KeyPair;
}): Promise<{ enc: Bytes; ciphertext: Bytes }> => {
  const { aad, plaintext } = request;
  const { enc, key, nonce } = await encapsulate(request, 'encrypt');
  return { enc, ciphertext: new Uint8Array(await crypto.subtle.encrypt(gcm(nonce, aad), key, plaintext)) };
};

/** RFC 9180, base mode, single shot: OpenBase. Throws `cannot-open` whatever is wrong with what came in. */
export const open = async (request: {
  suite: Suite;
  recipient: KeyPair;
  enc: Bytes;
  info: Bytes;
  aad: Bytes;
  ciphertext: Bytes;
}): Promise<Bytes> => {
  const { suite, recipient, enc, info, aad, ciphertext } = request;
  try {
    const shared = sharedSecret(recipient, enc, concat(enc, recipient.publicKey));
    const { key, nonce } = await keySchedule(suite, shared, info, 'decrypt');
    return new Uint8Array(await crypto.subtle.decrypt(gcm(nonce, aad), key, ciphertext));
  } catch (error) {
    throw refusal(error);
  }
};

/**
 * `seal` over the 32 bytes of an extractable AES key that script does not get to see: the same bytes on the wire.
 * Throws `bad-key` when `recipient` is not a point.
 */
export const wrapKey = async (request: {
  suite: Suite;
  recipient: Bytes;
  info: Bytes;
  aad: Bytes;
  wrapped: PrivateKey;
  ephemeral?: KeyPair;
}): Promise<{ enc: Bytes; ciphertext: Bytes }> => {
  const { aad, wrapped } = request;
  const { enc, key, nonce } = await encapsulate(request, 'wrapKey');
  return {
    enc,
    ciphertext: new Uint8Array(await crypto.subtle.wrapKey('raw', wrapped, key, gcm(nonce, aad))),
  };
};

/** What a key becomes when it is unwrapped: one to derive others with, or one to wrap again. */
export type UnwrapAs = 'HKDF' | 'AES-CTR';

/** `unwrapKey` by an AES-GCM key, with the forms that a key may take. Throws `cannot-open`. */
export const unwrapUnder = async (
  key: PrivateKey,
  { iv, aad, ciphertext }: { iv: Bytes; aad: Bytes; ciphertext: Bytes },
  as: UnwrapAs,
): Promise<PrivateKey> => {
  // Engines differ in how they refuse a key of another length; here it is a matter of form.
  if (ciphertext.length !== 32 + TAG_BYTES) throw new CryptoError('cannot-open');
  const algorithm = gcm(iv, aad);
  try {
    return as === 'HKDF'
      ? await crypto.subtle.unwrapKey('raw', ciphertext, key, algorithm, 'HKDF', false, ['deriveKey'])
      : await crypto.subtle.unwrapKey(
          'raw',
          ciphertext,
          key,
          algorithm,
          { name: 'AES-CTR', length: 256 },
          true,
          ['unwrapKey'],
        );
  } catch (error) {
    throw refusal(error);
  }
};

/** `open` for `wrapKey`. Throws `cannot-open` whatever is wrong with what came in. */
export const unwrapKey = async (request: {
  suite: Suite;
  recipient: KeyPair;
  enc: Bytes;
  info: Bytes;
  aad: Bytes;
  ciphertext: Bytes;
  as: UnwrapAs;
}): Promise<PrivateKey> => {
  const { suite, recipient, enc, info, aad, ciphertext, as } = request;
  try {
    const shared = sharedSecret(recipient, enc, concat(enc, recipient.publicKey));
    const { key, nonce } = await keySchedule(suite, shared, info, 'unwrapKey');
    return await unwrapUnder(key, { iv: nonce, aad, ciphertext }, as);
  } catch (error) {
    throw refusal(error);
  }
};
