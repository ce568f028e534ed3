import type { Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import type { PrivateKey } from './keys.ts';
import { I } from './labels.ts';
import type { Input } from './step.ts';

export const KEM_PUBLIC_BYTES = 1184;
export const KEM_CIPHERTEXT_BYTES = 1088;

const SEED_BYTES = 64;
const MESSAGE_BYTES = 32;
const IV_BYTES = 12;
const NAME = 'ML-KEM-768';

/**
 * A decapsulation key: a CryptoKey of the engine where it has ML-KEM, else the seed (FIPS 203: d ‖ z), sealed under
 * an AES-GCM key that cannot be exported and opened for the moment of use. Both can be stored in IndexedDB.
 */
export type KemPrivateKey =
  | { readonly native: PrivateKey }
  | { readonly wrapping: PrivateKey; readonly iv: Bytes; readonly sealed: Bytes };

export interface KemPair {
  /** 1,184 bytes. */
  publicKey: Bytes;
  privateKey: KemPrivateKey;
}

/** What "Modern Algorithms in the Web Cryptography API" adds; the types of TypeScript lack it. */
interface Native {
  generateKey(name: string, extractable: boolean, usages: string[]): Promise<unknown>;
  importKey(
    format: string,
    key: Bytes,
    name: string,
    extractable: boolean,
    usages: string[],
  ): Promise<PrivateKey>;
  exportKey(format: string, key: PrivateKey): Promise<ArrayBuffer>;
  encapsulateKey(
    name: string,
    key: PrivateKey,
    shared: string,
    extractable: boolean,
    usages: string[],
  ): Promise<{ ciphertext: ArrayBuffer; sharedKey: Input }>;
  decapsulateKey(
    name: string,
    key: PrivateKey,
    ciphertext: Bytes,
    shared: string,
    extractable: boolean,
    usages: string[],
  ): Promise<Input>;
}

/** The engine's ML-KEM-768, if it has one. */
const native = (): Native | undefined => {
  const { subtle } = crypto;
  const { SubtleCrypto: type } = globalThis as {
    SubtleCrypto?: { supports?: (operation: string, algorithm: string) => boolean };
  };
  const has = 'encapsulateKey' in subtle && (type?.supports?.('generateKey', NAME) ?? false);
  return has ? (subtle as unknown as Native) : undefined;
};

/** Loaded only where it is needed. */
const script = async () => (await import('@noble/post-quantum/ml-kem.js')).ml_kem768;

const importSecret = (bytes: Bytes): Promise<Input> =>
  crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits']);

const gcm = (iv: Bytes, publicKey: Bytes) => ({
  name: 'AES-GCM',
  iv,
  additionalData: I('kem-seed', publicKey),
  tagLength: 128,
});

/** The length alone; that its numbers are below the modulus is checked by who encapsulates. Throws `bad-key`. */
export const checkKemPublic = (publicKey: Uint8Array): void => {
  if (publicKey.length !== KEM_PUBLIC_BYTES) throw new CryptoError('bad-key', NAME);
};

/** A pair in script from a seed of 64 bytes, which stays with the caller. */
export const kemPairFromSeed = async (seed: Bytes): Promise<KemPair> => {
  const { secretKey, publicKey: made } = (await script()).keygen(seed);
  secretKey.fill(0);
  const publicKey = new Uint8Array(made);
  const wrapping = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt',
  ]);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = new Uint8Array(await crypto.subtle.encrypt(gcm(iv, publicKey), wrapping, seed));
  return { publicKey, privateKey: { wrapping, iv, sealed } };
};

export const generateKemPair = async (): Promise<KemPair> => {
  const engine = native();
  if (engine) {
    const pair = (await engine.generateKey(NAME, false, ['encapsulateKey', 'decapsulateKey'])) as {
      publicKey: PrivateKey;
      privateKey: PrivateKey;
    };
    const publicKey = new Uint8Array(await engine.exportKey('raw-public', pair.publicKey));
    return { publicKey, privateKey: { native: pair.privateKey } };
  }
  const seed = crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  const pair = await kemPairFromSeed(seed);
  seed.fill(0);
  return pair;
};

/**
 * A ciphertext of 1,088 bytes and the secret in it. `message`, 32 bytes, fixes the randomness, for vectors alone; it
 * goes by script. Throws `bad-key` for what is no public key.
 */
export const encapsulate = async (
  publicKey: Bytes,
  message?: Bytes,
): Promise<{ ciphertext: Bytes; secret: Input }> => {
  checkKemPublic(publicKey);
  const engine = message ? undefined : native();
  if (engine) {
    const key = await engine
      .importKey('raw-public', publicKey, NAME, true, ['encapsulateKey'])
      .catch((error: unknown) => {
        throw error instanceof Error && error.name === 'DataError' ? new CryptoError('bad-key', NAME) : error;
      });
    const made = await engine.encapsulateKey(NAME, key, 'HKDF', false, ['deriveBits']);
    return { ciphertext: new Uint8Array(made.ciphertext), secret: made.sharedKey };
  }
  const kem = await script();
  const entropy = message ?? crypto.getRandomValues(new Uint8Array(MESSAGE_BYTES));
  const encapsulated = () => {
    try {
      return kem.encapsulate(publicKey, entropy);
    } catch {
      throw new CryptoError('bad-key', NAME);
    }
  };
  const { cipherText, sharedSecret } = encapsulated();
  const secret = await importSecret(new Uint8Array(sharedSecret));
  sharedSecret.fill(0);
  return { ciphertext: new Uint8Array(cipherText), secret };
};

/**
 * The secret in a ciphertext; another secret, and no error, for a ciphertext that was not made for this key. Throws
 * `bad-encoding` for a wrong length.
 */
export const decapsulate = async (pair: KemPair, ciphertext: Bytes): Promise<Input> => {
  if (ciphertext.length !== KEM_CIPHERTEXT_BYTES) throw new CryptoError('bad-encoding', NAME);
  const { publicKey, privateKey } = pair;
  const engine = native();
  if ('native' in privateKey) {
    if (!engine) throw new CryptoError('unsupported', NAME);
    return engine.decapsulateKey(NAME, privateKey.native, ciphertext, 'HKDF', false, ['deriveBits']);
  }
  const { wrapping, iv, sealed } = privateKey;
  const seed = new Uint8Array(await crypto.subtle.decrypt(gcm(iv, publicKey), wrapping, sealed));
  if (engine) {
    const key = await engine.importKey('raw-seed', seed, NAME, false, ['decapsulateKey']);
    seed.fill(0);
    return engine.decapsulateKey(NAME, key, ciphertext, 'HKDF', false, ['deriveBits']);
  }
  const kem = await script();
  const { secretKey } = kem.keygen(seed);
  const shared = kem.decapsulate(ciphertext, secretKey);
  const secret = await importSecret(new Uint8Array(shared));
  for (const bytes of [seed, secretKey, shared]) bytes.fill(0);
  return secret;
};
