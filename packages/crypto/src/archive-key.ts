import { deviceBytes } from './address.ts';
import { concat, equal, fromBase64url, lp, Reader, u8, u32, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import * as hpke from './hpke.ts';
import type { KeyPair, PrivateKey } from './keys.ts';
import { I } from './labels.ts';

/**
 * An archive key on its way: AES-CTR-256, extractable, so that it can be wrapped for somebody; encrypts nothing.
 * Held no longer than that takes.
 */
export type PassingKey = PrivateKey;

/** An archive key in use: an HKDF key that may only derive other keys. */
export type ArchiveKey = PrivateKey;

/** Which of an account's archive keys: they are counted from 1. */
export interface ArchiveGeneration {
  account: string;
  generation: number;
}

/** A passkey, by its credential id and the 32 bytes that WebAuthn's PRF extension gives for it. */
interface Passkey {
  kind: 'passkey';
  credential: Bytes;
  prf: Bytes;
}

/** For whom a copy is made. */
export type ArchiveRecipient =
  | { kind: 'device'; device: string; sealing: { id: number; publicKey: Bytes } }
  | { kind: 'recovery'; sealing: { publicKey: Bytes } }
  | Passkey;

/** Who opens a copy. */
export type ArchiveHolder =
  | { kind: 'device'; device: string; sealing: KeyPair & { id: number } }
  | { kind: 'recovery'; sealing: KeyPair }
  | Passkey;

const VERSION = 1;
const KINDS = { device: 1, recovery: 2, passkey: 3 } as const;
const SUITE = hpke.AES_256_GCM;
const PRF_BYTES = 32;
const IV_BYTES = 12;
const ACCOUNT_BYTES = 32;
const CTR = { name: 'AES-CTR', length: 256 };
const Z = new Uint8Array(32);

const refuse = (why: string): never => {
  throw new CryptoError('archive-invalid', why);
};

/** `lp(account) u32(generation)`. Throws `bad-encoding`. */
const place = ({ account, generation }: ArchiveGeneration): Bytes => {
  const id = fromBase64url(account);
  if (id.length !== ACCOUNT_BYTES) throw new CryptoError('bad-encoding', 'account');
  if (generation === 0) throw new CryptoError('bad-encoding', 'generation 0');
  return concat(lp(id), u32(generation));
};

const holder = (to: ArchiveRecipient): Bytes => {
  const kind = u8(KINDS[to.kind]);
  if (to.kind === 'device') return concat(kind, lp(deviceBytes(to.device)), u32(to.sealing.id));
  return concat(kind, lp(to.kind === 'recovery' ? to.sealing.publicKey : to.credential));
};

const bound = (which: ArchiveGeneration, to: ArchiveRecipient): Bytes =>
  I('archive/key', concat(place(which), holder(to)));

const header = ({ generation }: ArchiveGeneration, { kind }: ArchiveRecipient): Bytes =>
  concat(u8(VERSION), u8(KINDS[kind]), u32(generation));

/** A new one. */
export const generateArchiveKey = (): Promise<PassingKey> =>
  crypto.subtle.generateKey(CTR, true, ['unwrapKey']);

/** A key on its way, put to use. */
export const useArchiveKey = async (passing: PassingKey): Promise<ArchiveKey> => {
  const once = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
    'wrapKey',
    'unwrapKey',
  ]);
  const algorithm = { name: 'AES-GCM', iv: new Uint8Array(IV_BYTES), tagLength: 128 };
  const wrapped = await crypto.subtle.wrapKey('raw', passing, once, algorithm);
  return crypto.subtle.unwrapKey('raw', wrapped, once, algorithm, 'HKDF', false, ['deriveKey']);
};

/**
 * 32 bytes that fix an archive key and say nothing of it: they stand in the account chain, so that the relay, which
 * can seal to anybody, cannot pass off a key of its own or an older one. Throws `bad-encoding`.
 */
export const commitArchiveKey = async (which: ArchiveGeneration, key: ArchiveKey): Promise<Bytes> => {
  const info = I('archive/commit', place(which));
  const mac = { name: 'HMAC', hash: 'SHA-256', length: 256 };
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: Z, info };
  const committing = await crypto.subtle.deriveKey(derivation, key, mac, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign(mac, committing, info));
};

const passkeyKey = async ({ credential, prf }: Passkey, account: string, usage: 'wrapKey' | 'unwrapKey') => {
  if (prf.length !== PRF_BYTES) throw new CryptoError('bad-encoding', 'passkey');
  const secret = await crypto.subtle.importKey('raw', prf, 'HKDF', false, ['deriveKey']);
  const info = I('archive/passkey', lp(credential));
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: fromBase64url(account), info };
  return crypto.subtle.deriveKey(derivation, secret, { name: 'AES-GCM', length: 256 }, false, [usage]);
};

/**
 * A copy of the archive key for one device, the recovery key, or a passkey. `ephemeral` and `iv` are random unless
 * given. Throws `bad-key` for a sealing key that is not a point, `bad-encoding` for ids out of bounds.
 */
export const sealArchiveKey = async (
  request: ArchiveGeneration & { key: PassingKey; to: ArchiveRecipient; ephemeral?: KeyPair; iv?: Bytes },
): Promise<Bytes> => {
  const { key, to, ephemeral } = request;
  const info = bound(request, to);
  const aad = header(request, to);
  if (to.kind === 'passkey') {
    const iv = request.iv ?? crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const algorithm = { name: 'AES-GCM', iv, additionalData: info, tagLength: 128 };
    const kek = await passkeyKey(to, request.account, 'wrapKey');
    return concat(aad, iv, new Uint8Array(await crypto.subtle.wrapKey('raw', key, kek, algorithm)));
  }
  const recipient = to.sealing.publicKey;
  const sealed = { suite: SUITE, recipient, info, aad, wrapped: key, ...(ephemeral && { ephemeral }) };
  const { enc, ciphertext } = await hpke.wrapKey(sealed);
  return concat(aad, enc, ciphertext);
};

const unwrap = async (
  which: ArchiveGeneration,
  by: ArchiveHolder,
  sealed: Bytes,
  as: hpke.UnwrapAs,
): Promise<PrivateKey> => {
  const info = bound(which, by);
  const aad = header(which, by);
  const reader = new Reader(sealed);
  if (reader.u8() !== VERSION) throw new CryptoError('unsupported');
  if (!equal(sealed.subarray(0, aad.length), aad)) refuse('another copy');
  reader.take(aad.length - 1);
  if (by.kind === 'passkey') {
    const iv = reader.take(IV_BYTES);
    const kek = await passkeyKey(by, which.account, 'unwrapKey');
    return hpke.unwrapUnder(kek, { iv, aad: info, ciphertext: reader.rest() }, as);
  }
  const enc = reader.take(hpke.ENC_BYTES);
  const opened = { suite: SUITE, recipient: by.sealing, enc, info, aad, ciphertext: reader.rest() };
  return hpke.unwrapKey({ ...opened, as });
};

interface Opening extends ArchiveGeneration {
  by: ArchiveHolder;
  sealed: Bytes;
  /** Of this generation, out of the verified account chain. */
  commitment: Bytes;
}

const open = async (request: Opening, as: hpke.UnwrapAs): Promise<PrivateKey> => {
  // What the caller says is checked first: below, whatever does not fit is the copy's fault.
  const { by, sealed, commitment } = request;
  bound(request, by);
  try {
    const key = await unwrap(request, by, sealed, as);
    const used = as === 'HKDF' ? key : await useArchiveKey(key);
    if (!equal(await commitArchiveKey(request, used), commitment)) refuse('another key');
    return key;
  } catch (error) {
    if (error instanceof CryptoError && error.code !== 'unsupported')
      throw new CryptoError('archive-invalid');
    throw error;
  }
};

/**
 * The archive key out of a copy, to be used. Throws `archive-invalid` for a copy that does not open, is of another
 * generation, account or recipient, or holds another key than the chain states; `unsupported` for another version;
 * `bad-encoding` for ids out of bounds.
 */
export const openArchiveKey = (request: Opening): Promise<ArchiveKey> => open(request, 'HKDF');

/** The same, to be wrapped for somebody else: a device that joins, a new recovery key, a passkey. */
export const openPassingKey = (request: Opening): Promise<PassingKey> => open(request, 'AES-CTR');
