import type { Address } from './address.ts';
import { concat, lp, toBase64url, u32, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { carrierOfNext, generateCarrier, openCarrier, type Carrier, type Handed } from './group-carrier.ts';
import {
  chainIdBytes,
  commitKey,
  committedBytes,
  encodeGroupHeader,
  encodeGroupMessage,
  gcm,
  GCM_IV_BYTES,
  signedBytes,
  type GroupHeader,
} from './group-message.ts';
import { generateSigningKey, sha256, sign, type KeyPair } from './keys.ts';
import { DAY } from './limits.ts';
import { groupBytes } from './membership-operation.ts';
import { roleOf, type GroupState } from './membership-state.ts';
import { messageKey, nextChain, type Opaque } from './step.ts';

/** After so long, or so many counters, a device makes itself a new sender key. */
export const SENDER_KEY_LIFETIME = 7 * DAY;
export const SENDER_KEY_COUNTERS = 1_000;

/**
 * What one device sends to one group with. Its id and signing key are made for it and certified by nothing that
 * outlives it. Plain data and CryptoKeys: it can be stored in IndexedDB as it is.
 */
export interface SenderKey {
  readonly group: string;
  readonly owner: Address;
  /** 16 bytes, base64url. */
  readonly chainId: string;
  /** The counter at which the chain stands. */
  readonly n: number;
  readonly chain: Opaque;
  readonly signing: KeyPair;
  /** Milliseconds since 1970. */
  readonly madeAt: number;
  /** The epoch in which it was made. */
  readonly epoch: number;
  /** A device that holds it was revoked: see `retireSenderKey`. */
  readonly retired: boolean;
}

/**
 * A new sender key of `owner`, a member; nobody else holds it yet. `source` fixes what is random, for vectors alone.
 * Throws `membership-invalid` for somebody who is not a member.
 */
export const createSenderKey = async (request: {
  state: GroupState;
  owner: Address;
  now: number;
  source?: { chainId: string; carrier: Carrier; signing: KeyPair };
}): Promise<SenderKey> => {
  const { state, owner, now, source } = request;
  if (!roleOf(state, owner.account)) throw new CryptoError('membership-invalid', 'not a member');
  const [carrier, signing] = source
    ? [source.carrier, source.signing]
    : await Promise.all([generateCarrier(), generateSigningKey()]);
  return {
    group: state.group,
    owner: { account: owner.account, device: owner.device },
    chainId: source?.chainId ?? toBase64url(crypto.getRandomValues(new Uint8Array(16))),
    n: 0,
    chain: await openCarrier(carrier),
    signing: { publicKey: signing.publicKey, privateKey: signing.privateKey },
    madeAt: now,
    epoch: state.epoch,
    retired: false,
  };
};

/** To be stored when a device that the key was handed to is revoked: the membership log does not show that. */
export const retireSenderKey = (own: SenderKey): SenderKey => ({ ...own, retired: true });

/** Whether a new sender key is due before the next message: somebody left, or it is worn. */
export const isSenderKeyDue = (own: SenderKey, state: GroupState, now: number): boolean =>
  own.retired ||
  state.lastDeparture > own.epoch ||
  now - own.madeAt >= SENDER_KEY_LIFETIME ||
  own.n >= SENDER_KEY_COUNTERS;

/** Throws `sender-key-due`. */
const checkUsable = (own: SenderKey, state: GroupState, now: number): void => {
  if (own.group !== state.group || !roleOf(state, own.owner.account)) {
    throw new CryptoError('membership-invalid', 'not a member');
  }
  if (isSenderKeyDue(own, state, now)) throw new CryptoError('sender-key-due');
};

/** `lp(group) lp(chainId) u32(n) lp(signing)`. */
export const encodeHandOver = (key: { group: string; chainId: string; n: number; signing: Bytes }): Bytes =>
  concat(lp(groupBytes(key.group)), lp(chainIdBytes(key.chainId)), u32(key.n), lp(key.signing));

/**
 * What lets others read from here on, not what came before: the chain as it stands behind this counter, which is
 * used up. The same for as many receivers as there are: one `encryptKey` in the session with each, once the new state
 * is stored. `handed.key` is extractable and must not be. Throws as `encryptGroupMessage`.
 */
export const handOverSenderKey = async (request: {
  own: SenderKey;
  state: GroupState;
  now: number;
}): Promise<{ own: SenderKey; handed: Handed }> => {
  const { own, state, now } = request;
  checkUsable(own, state, now);
  const key = await carrierOfNext(own.chain);
  const n = own.n + 1;
  const context = encodeHandOver({ ...own, n, signing: own.signing.publicKey });
  return { own: { ...own, n, chain: await openCarrier(key) }, handed: { key, context } };
};

/**
 * One ciphertext for everyone who holds the key, bound to the membership that the sender knows. To be sealed with
 * `sealPost`. Throws `sender-key-due`, and `membership-invalid` for somebody who is not a member.
 */
export const encryptGroupMessage = async (request: {
  own: SenderKey;
  state: GroupState;
  content: Bytes;
  now: number;
}): Promise<{ own: SenderKey; message: Bytes }> => {
  const { own, state, content, now } = request;
  checkUsable(own, state, now);
  const { group, owner: from, chainId, n, chain } = own;
  const iv = crypto.getRandomValues(new Uint8Array(GCM_IV_BYTES));
  const header: GroupHeader = { group, from, chainId, n, stateHash: state.hash, iv };
  const [key, commit, next] = await Promise.all([
    messageKey(chain, ['encrypt']),
    commitKey(chain, 'sign'),
    nextChain(chain),
  ]);
  const encoded = encodeGroupHeader(header);
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt(gcm(iv, encoded), key, content));
  const bound = { header: encoded, digest: await sha256(ciphertext) };
  const tag = new Uint8Array(await crypto.subtle.sign('HMAC', commit, committedBytes(bound)));
  const signature = await sign(own.signing.privateKey, signedBytes(bound, tag));
  return {
    own: { ...own, n: n + 1, chain: next },
    message: encodeGroupMessage({ ...header, tag, signature, ciphertext }),
  };
};
