import { encodeAddress, readAddress, type Address } from './address.ts';
import { concat, fromBase64url, lp, Reader, toBase64url, u64, utf8, type Bytes } from './bytes.ts';
import { open, seal, KIND_JOIN_REQUEST, KIND_LINK_PREVIEW, type SealingKey } from './channel-seal.ts';
import { CryptoError } from './errors.ts';
import { sign, verify, type PrivateKey } from './keys.ts';
import { I } from './labels.ts';
import { groupBytes } from './membership-operation.ts';
import { deriveGcm } from './step.ts';

/** What follows from the secret of a link to a group. */
export interface GroupLinkKeys extends SealingKey {
  /** What the relay is shown: 16 bytes. */
  readonly token: Bytes;
}

/** Somebody asks to be let in. */
export interface JoinRequest {
  readonly from: Address;
  /** 16 random bytes, base64url: by which an answer names it. */
  readonly id: string;
  /** Milliseconds since 1970 by the clock of who asks. */
  readonly createdAt: number;
  /** What lets into their inbox: 16 bytes, base64url. */
  readonly delivery: string;
  /** How they want to be called. */
  readonly name: string;
}

const Z = new Uint8Array(32);
const SECRET_BYTES = 16;
const ID_BYTES = 16;
const SIGNATURE_BYTES = 64;
/** As much of the hash of the first entry as stands in a link. */
const PIN_BYTES = 16;

const sized = (text: string): Bytes => {
  const bytes = fromBase64url(text);
  if (bytes.length !== ID_BYTES) throw new CryptoError('bad-encoding', 'length');
  return bytes;
};

/** 16 random bytes, base64url. */
export const createLinkSecret = (): string =>
  toBase64url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));

/** By which a link names a log beyond its group's id: the beginning of the hash of its first entry. */
export const linkPin = (first: Bytes): string => toBase64url(first.slice(0, PIN_BYTES));

/** Throws `bad-encoding` unless `secret` is 16 bytes, base64url. */
export const openLink = async (group: string, secret: string): Promise<GroupLinkKeys> => {
  const context = lp(groupBytes(group));
  const bytes = fromBase64url(secret);
  if (bytes.length !== SECRET_BYTES) throw new CryptoError('bad-encoding', 'length');
  const base = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits', 'deriveKey']);
  const derive = async (label: 'link/id' | 'link/token', length: number): Promise<Bytes> => {
    const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: Z, info: I(label, context) };
    return new Uint8Array(await crypto.subtle.deriveBits(algorithm, base, length * 8));
  };
  const [id, token, key] = await Promise.all([
    derive('link/id', 32),
    derive('link/token', ID_BYTES),
    deriveGcm(base, 'link', context, ['encrypt', 'decrypt']),
  ]);
  return { group, id, token, key };
};

/** What the relay hands to who follows the link. */
export const sealPreview = (keys: GroupLinkKeys, preview: Bytes): Promise<Bytes> =>
  seal(keys, 0, KIND_LINK_PREVIEW, preview);

/** Throws as `openPost`. Whoever has the link can have made it. */
export const openPreview = async (keys: GroupLinkKeys, sealed: Uint8Array): Promise<Bytes> => {
  const { kind, body } = await open([keys], sealed);
  if (kind !== KIND_LINK_PREVIEW) throw new CryptoError('cannot-open');
  return body;
};

const encode = ({ from, id, createdAt, delivery, name }: JoinRequest): Bytes =>
  concat(encodeAddress(from), sized(id), u64(createdAt), sized(delivery), lp(utf8(name)));

/** What the signature covers: the group and the link, which do not stand in it, and the rest. */
export const signedRequest = ({ group, id }: Pick<SealingKey, 'group' | 'id'>, request: Bytes): Bytes =>
  I('group/join', concat(lp(groupBytes(group)), id, request));

/** A request to be let in, signed by the device that asks. */
export const sealJoinRequest = async (
  keys: GroupLinkKeys,
  request: JoinRequest,
  signing: PrivateKey,
): Promise<Bytes> => {
  const bytes = encode(request);
  const signature = await sign(signing, signedRequest(keys, bytes));
  return seal(keys, 0, KIND_JOIN_REQUEST, concat(bytes, signature));
};

/** A claim, until `checkJoinRequest` has proved it. Throws as `openPost`. */
export const openJoinRequest = async (
  keys: GroupLinkKeys,
  sealed: Uint8Array,
): Promise<JoinRequest & { signature: Bytes }> => {
  const { kind, body } = await open([keys], sealed);
  if (kind !== KIND_JOIN_REQUEST) throw new CryptoError('cannot-open');
  try {
    const reader = new Reader(body);
    const from = readAddress(reader);
    const id = toBase64url(reader.take(ID_BYTES));
    const createdAt = reader.u64();
    const delivery = toBase64url(reader.take(ID_BYTES));
    const name = new TextDecoder().decode(reader.lp());
    const signature = reader.take(SIGNATURE_BYTES);
    reader.end();
    return { from, id, createdAt, delivery, name, signature };
  } catch (error) {
    throw error instanceof CryptoError ? new CryptoError('cannot-open') : error;
  }
};

/** Whether the device with this signing key has asked that, by this link. */
export const checkJoinRequest = (
  keys: Pick<SealingKey, 'group' | 'id'>,
  { signature, ...request }: JoinRequest & { signature: Bytes },
  signing: Bytes,
): Promise<boolean> => verify(signing, signature, signedRequest(keys, encode(request)));
