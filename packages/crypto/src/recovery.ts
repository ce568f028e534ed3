import { concat, equal, fromBase64url, lp, Reader, u8, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import {
  generateSealingPair,
  importAgreementKey,
  sign,
  verify,
  type KeyPair,
  type PrivateKey,
} from './keys.ts';
import { I, type Label } from './labels.ts';
import { CODE_BYTES } from './recovery-code.ts';

/** What is used of a recovery key: the one half signs events of the chain, the other opens the archive key. */
export interface RecoveryKeys {
  signing: KeyPair;
  /** For HPKE. */
  sealing: KeyPair;
}

/** What the relay is asked with: 32 bytes each. */
export interface RecoveryAccess {
  /** Where the blob lies. */
  lookup: Bytes;
  /** What its owner shows; the relay keeps a hash of it. */
  token: Bytes;
}

/** Extractable pairs to wrap. */
interface Fresh {
  signing: { publicKey: PrivateKey; privateKey: PrivateKey };
  sealing: { publicKey: PrivateKey; privateKey: PrivateKey };
}

const VERSION = 1;
const ACCOUNT_BYTES = 32;
const IV_BYTES = 12;
const Z = new Uint8Array(32);
const NONE = new Uint8Array(0);
const PROBE = I('recovery', NONE);
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256' };
const ECDH = { name: 'ECDH', namedCurve: 'P-256' };

const hkdf = (salt: Bytes, label: Label) => ({ name: 'HKDF', hash: 'SHA-256', salt, info: I(label, NONE) });
const gcm = (iv: Bytes, additionalData: Bytes) => ({ name: 'AES-GCM', iv, additionalData, tagLength: 128 });

const importSecret = (secret: Bytes): Promise<PrivateKey> => {
  if (secret.length !== CODE_BYTES) throw new CryptoError('bad-encoding', 'recovery secret');
  return crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits', 'deriveKey']);
};

const accountBytes = (account: string): Bytes => {
  const bytes = fromBase64url(account);
  if (bytes.length !== ACCOUNT_BYTES) throw new CryptoError('bad-encoding', 'account');
  return bytes;
};

/** The key that wraps. `secret` is what `parseRecoveryCode` gives. */
const wrappingKey = async (
  secret: Bytes,
  account: Bytes,
  usage: 'wrapKey' | 'unwrapKey',
): Promise<PrivateKey> =>
  crypto.subtle.deriveKey(
    hkdf(account, 'recovery/wrap'),
    await importSecret(secret),
    { name: 'AES-GCM', length: 256 },
    false,
    [usage],
  );

/** Throws `bad-encoding` for anything but 16 bytes. */
export const recoveryAccess = async (secret: Bytes): Promise<RecoveryAccess> => {
  const key = await importSecret(secret);
  const derive = async (label: Label) =>
    new Uint8Array(await crypto.subtle.deriveBits(hkdf(Z, label), key, 256));
  return { lookup: await derive('recovery/lookup'), token: await derive('recovery/token') };
};

const generate = async (): Promise<Fresh> => {
  const [signing, sealing] = await Promise.all([
    crypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']),
    crypto.subtle.generateKey(ECDH, true, ['deriveBits']),
  ]);
  return { signing, sealing };
};

const rawPublic = async ({ publicKey }: { publicKey: PrivateKey }): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));

/**
 * New recovery keys of an account, wrapped under a key from the code's secret: what lies at the relay, on every device
 * and in exports. `secret` is 16 random bytes. `keys` and `ivs` are random unless given, as vectors do; a secret may
 * wrap any number of times. Throws `bad-encoding` for a malformed account or secret.
 */
export const createRecovery = async (request: {
  account: string;
  secret: Bytes;
  keys?: Fresh;
  ivs?: readonly [Bytes, Bytes];
}): Promise<RecoveryKeys & { blob: Bytes }> => {
  const { account, secret } = request;
  const id = accountBytes(account);
  const kek = await wrappingKey(secret, id, 'wrapKey');
  const keys = request.keys ?? (await generate());
  const publics = [await rawPublic(keys.signing), await rawPublic(keys.sealing)] as const;
  const aad = I('recovery', concat(id, ...publics));
  const wrap = async (key: PrivateKey, iv: Bytes) =>
    concat(iv, lp(new Uint8Array(await crypto.subtle.wrapKey('pkcs8', key, kek, gcm(iv, aad)))));
  const iv = (at: 0 | 1) => request.ivs?.[at] ?? crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const wrapped = [await wrap(keys.signing.privateKey, iv(0)), await wrap(keys.sealing.privateKey, iv(1))];
  const blob = concat(u8(VERSION), ...publics.map(lp), ...wrapped);
  return { ...(await openRecovery({ account, secret, blob })), blob };
};

/** Whether the private halves are those of the public ones: the two lie in one blob under one key. */
const fits = async ({ signing, sealing }: RecoveryKeys): Promise<boolean> => {
  if (!(await verify(signing.publicKey, await sign(signing.privateKey, PROBE), PROBE))) return false;
  const other = await generateSealingPair();
  const agree = async (privateKey: PrivateKey, publicKey: Bytes) => {
    const peer = await importAgreementKey(publicKey);
    return new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: peer }, privateKey, 256));
  };
  return equal(
    await agree(sealing.privateKey, other.publicKey),
    await agree(other.privateKey, sealing.publicKey),
  );
};

const unwrap = async (request: { account: string; secret: Bytes; blob: Bytes }): Promise<RecoveryKeys> => {
  const { account, secret, blob } = request;
  const reader = new Reader(blob);
  if (reader.u8() !== VERSION) throw new CryptoError('unsupported');
  const publics = [reader.lp(), reader.lp()] as const;
  const slot = () => ({ iv: reader.take(IV_BYTES), wrapped: reader.lp() });
  const [first, second] = [slot(), slot()] as const;
  reader.end();
  const id = accountBytes(account);
  const kek = await wrappingKey(secret, id, 'unwrapKey');
  const aad = I('recovery', concat(id, ...publics));
  const open = ({ iv, wrapped }: typeof first, algorithm: typeof ECDSA, usage: 'sign' | 'deriveBits') =>
    crypto.subtle.unwrapKey('pkcs8', wrapped, kek, gcm(iv, aad), algorithm, false, [usage]);
  const keys = {
    signing: { publicKey: publics[0], privateKey: await open(first, ECDSA, 'sign') },
    sealing: { publicKey: publics[1], privateKey: await open(second, ECDH, 'deriveBits') },
  };
  if (!(await fits(keys))) throw new CryptoError('recovery-invalid');
  return keys;
};

/**
 * The recovery keys out of a blob, not extractable. Whether the chain knows them, and where, `recoveryPoint` tells.
 * Throws `recovery-invalid` for a blob that this secret does not open for this account, `unsupported` for one of
 * another version, `bad-encoding` for a malformed account or secret.
 */
export const openRecovery = async (request: {
  account: string;
  secret: Bytes;
  blob: Bytes;
}): Promise<RecoveryKeys> => {
  accountBytes(request.account);
  await importSecret(request.secret);
  try {
    return await unwrap(request);
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'unsupported') throw error;
    // Whatever an engine says of bytes that do not open, or that are no key of this kind.
    const refused = ['OperationError', 'DataError'].includes((error as Error).name);
    throw refused || error instanceof CryptoError ? new CryptoError('recovery-invalid') : error;
  }
};
