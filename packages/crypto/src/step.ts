import { concat, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { importAgreementKey, type PrivateKey } from './keys.ts';
import { I, type Label } from './labels.ts';

/** A root or chain key: an HKDF key that may only derive other keys. Never bytes. */
export type Opaque = PrivateKey;

/** A secret on its way into `pre`: an HKDF key that may only derive bits. */
export type Input = PrivateKey;

/** An AES-256-GCM key. */
export type MessageKey = PrivateKey;

const SALT_BYTES = 32;
/** The salt where there is none, and the constant that `step` unwraps. */
const Z = new Uint8Array(SALT_BYTES);
const NONE = new Uint8Array(0);

const ROOT = I('root', NONE);
const ROOT_CHAIN = I('root-chain', NONE);
const NEXT = I('next', NONE);
const MESSAGE = I('message', NONE);

const hkdf = (salt: Bytes, info: Bytes) => ({ name: 'HKDF', hash: 'SHA-256', salt, info });

/** `AES256_w(0) ‖ AES256_w(1)` as an HKDF key that may only derive: what `step` makes of `w`, an AES-CTR key. */
export const unwrapOpaque = (w: PrivateKey): Promise<Opaque> => {
  const counter = { name: 'AES-CTR', counter: new Uint8Array(16), length: 64 };
  return crypto.subtle.unwrapKey('raw', Z, w, counter, 'HKDF', false, ['deriveKey']);
};

/**
 * `AES256_w(0) ‖ AES256_w(1)` as the next HKDF key, with `w = HKDF(salt, key, info, 32)`. No engine derives an HKDF
 * key from another; unwrapping 32 zero bytes under `w` in counter mode gives the same without ever showing bytes.
 * `salt` is 32 bytes, as a swapped PRF needs it: throws `bad-encoding`.
 */
export const step = async (key: Opaque, salt: Bytes, info: Bytes): Promise<Opaque> => {
  if (salt.length !== SALT_BYTES) throw new CryptoError('bad-encoding', 'salt');
  const w = await crypto.subtle.deriveKey(hkdf(salt, info), key, { name: 'AES-CTR', length: 256 }, false, [
    'unwrapKey',
  ]);
  return unwrapOpaque(w);
};

/** `HKDF(Z, input, info, 32)`: the bytes that script sees of a secret; they serve as a salt. */
export const pre = async (input: Input, info: Bytes): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.deriveBits(hkdf(Z, info), input, 8 * SALT_BYTES));

/** The key after this one in a chain. */
export const nextChain = (chain: Opaque): Promise<Opaque> => step(chain, Z, NEXT);

type Usages = ('encrypt' | 'decrypt' | 'wrapKey' | 'unwrapKey')[];

const gcmKey = (key: Opaque, info: Bytes, usages: Usages): Promise<MessageKey> =>
  crypto.subtle.deriveKey(hkdf(Z, info), key, { name: 'AES-GCM', length: 256 }, false, usages);

/** An AES-256-GCM key out of an opaque one; only what `usages` name can be done with it. */
export const deriveGcm = (
  key: Opaque,
  label: Label,
  context: Uint8Array,
  usages: Usages,
): Promise<MessageKey> => gcmKey(key, I(label, context), usages);

/** The key of the message at which a chain stands. */
export const messageKey = (chain: Opaque, usages: Usages): Promise<MessageKey> =>
  gcmKey(chain, MESSAGE, usages);

const agree = async (privateKey: PrivateKey, publicKey: Bytes, usage: 'deriveKey' | 'deriveBits') => {
  const peer = await importAgreementKey(publicKey);
  return crypto.subtle.deriveKey({ name: 'ECDH', public: peer }, privateKey, 'HKDF', false, [usage]);
};

/** A shared secret as the start of a cascade. Throws `bad-key`. */
export const agreeOpaque = (privateKey: PrivateKey, publicKey: Bytes): Promise<Opaque> =>
  agree(privateKey, publicKey, 'deriveKey');

/** A shared secret to mix in. Throws `bad-key`. */
export const agreeInput = (privateKey: PrivateKey, publicKey: Bytes): Promise<Input> =>
  agree(privateKey, publicKey, 'deriveBits');

/** A root step: both sides give the ratchet key of who sends first. Throws `bad-key`. */
export const rootStep = async (request: {
  root: Opaque;
  privateKey: PrivateKey;
  publicKey: Bytes;
  sender: Bytes;
  receiver: Bytes;
}): Promise<{ root: Opaque; chain: Opaque }> => {
  const { root, privateKey, publicKey, sender, receiver } = request;
  const secret = await agreeInput(privateKey, publicKey);
  const t = await pre(secret, I('root-dh', concat(sender, receiver)));
  const [next, chain] = await Promise.all([step(root, t, ROOT), step(root, t, ROOT_CHAIN)]);
  t.fill(0);
  return { root: next, chain };
};
