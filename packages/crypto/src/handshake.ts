import { encodeAddress, type Address } from './address.ts';
import { concat, lp, type Reader, u16, u32, u8, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { decapsulate, encapsulate, KEM_CIPHERTEXT_BYTES } from './kem.ts';
import { generateAgreementKey, sha256, type KeyPair } from './keys.ts';
import { I, L, SUITE, type Label } from './labels.ts';
import { PREKEY_KINDS, type Bundle, type OwnPrekey, type PqKind } from './prekeys.ts';
import { agreeInput, agreeOpaque, pre, step, type Input, type Opaque } from './step.ts';

/** The public keys of a device, as its account's chain names them. */
export interface PublicDevice extends Address {
  readonly signing: Bytes;
  readonly identity: Bytes;
}

/** This device. */
export interface OwnDevice extends Address {
  readonly signing: Pick<KeyPair, 'publicKey'>;
  readonly identity: KeyPair;
}

/** What the one who starts sends ahead of its messages until it is answered. */
export interface Handshake {
  readonly signedId: number;
  readonly oneTimeId?: number;
  readonly pqKind: PqKind;
  readonly pqId: number;
  /** One more than that of any session the two had: the highest sends. */
  readonly generation: number;
  /** EK: 65 bytes. */
  readonly baseKey: Bytes;
  /** ML-KEM-768: 1,088 bytes. */
  readonly ciphertext: Bytes;
}

/** The prekeys that a handshake names, as this device has them. */
export interface NamedPrekeys {
  readonly signed?: OwnPrekey<'signed'> | undefined;
  readonly oneTime?: OwnPrekey<'one-time'> | undefined;
  readonly pq?: OwnPrekey<PqKind> | undefined;
}

const POINT_BYTES = 65;

const optionalId = (id: number | undefined): Bytes => (id === undefined ? u8(0) : concat(u8(1), u32(id)));

/** `u32(spkId) (00 | 01 u32(opkId)) u8(pqKind) u32(pqId) u32(generation)`, then `EK(65) ct(1088)`. */
export const encodeHandshake = (handshake: Handshake): Bytes => {
  const { signedId, oneTimeId, pqKind, pqId, generation, baseKey, ciphertext } = handshake;
  const ids = [u32(signedId), optionalId(oneTimeId), u8(PREKEY_KINDS[pqKind]), u32(pqId), u32(generation)];
  return concat(...ids, baseKey, ciphertext);
};

const readOptionalId = (reader: Reader): { oneTimeId?: number } => {
  const flag = reader.u8();
  if (flag > 1) throw new CryptoError('bad-encoding', 'flag');
  return flag === 1 ? { oneTimeId: reader.u32() } : {};
};

const readPqKind = (reader: Reader): PqKind => {
  const kind = reader.u8();
  if (kind === PREKEY_KINDS['pq-one-time']) return 'pq-one-time';
  if (kind === PREKEY_KINDS['pq-last-resort']) return 'pq-last-resort';
  throw new CryptoError('bad-encoding', 'kind of prekey');
};

/** Throws `bad-encoding`. */
export const readHandshake = (reader: Reader): Handshake => ({
  signedId: reader.u32(),
  ...readOptionalId(reader),
  pqKind: readPqKind(reader),
  pqId: reader.u32(),
  generation: reader.u32(),
  baseKey: reader.take(POINT_BYTES),
  ciphertext: reader.take(KEM_CIPHERTEXT_BYTES),
});

const party = ({ account, device, signing, identity }: PublicDevice): Bytes =>
  concat(encodeAddress({ account, device }), lp(signing), lp(identity));

const publicOf = ({ account, device, signing, identity }: OwnDevice): PublicDevice => ({
  account,
  device,
  signing: signing.publicKey,
  identity: identity.publicKey,
});

/** `th`: who talks to whom under which keys. All that follows is bound to it. */
const transcript = (request: {
  initiator: PublicDevice;
  responder: PublicDevice;
  handshake: Handshake;
  signed: Bytes;
  oneTime: Bytes | undefined;
  pq: Bytes;
}): Promise<Bytes> => {
  const { initiator, responder, handshake, signed, oneTime, pq } = request;
  const { signedId, oneTimeId, pqKind, pqId, generation, baseKey, ciphertext } = handshake;
  return sha256(
    concat(
      lp(L('handshake')),
      u16(SUITE),
      party(initiator),
      party(responder),
      u32(signedId),
      lp(signed),
      optionalId(oneTimeId),
      oneTime ? lp(oneTime) : new Uint8Array(0),
      u8(PREKEY_KINDS[pqKind]),
      u32(pqId),
      lp(pq),
      lp(baseKey),
      lp(ciphertext),
      u32(generation),
    ),
  );
};

type Name = 'dh1' | 'dh2' | 'dh4' | 'kem';

/** DH3 as the first key, and the other secrets mixed into it one by one. */
const cascade = async (dh3: Opaque, secrets: readonly (readonly [Name, Input])[], th: Bytes) => {
  let key = dh3;
  for (const [name, secret] of secrets) {
    const [seen, mixed]: Label[] = [`hs/${name}`, `hs/mix/${name}`];
    const salt = await pre(secret, I(seen!, th));
    key = await step(key, salt, I(mixed!, th));
    salt.fill(0);
  }
  return key;
};

/**
 * The side of the one who starts. The bundle must have been verified. `random` fixes what is random, for vectors
 * alone. Throws `bad-key` for a post-quantum key with a number past the modulus.
 */
export const initiate = async (request: {
  me: OwnDevice;
  peer: PublicDevice;
  bundle: Bundle;
  generation: number;
  random?: { baseKey?: KeyPair; kemMessage?: Bytes };
}): Promise<{ handshake: Handshake; th: Bytes; root: Opaque }> => {
  const { me, peer, bundle, generation, random } = request;
  const { signed, oneTime, pq } = bundle;
  const [base, { ciphertext, secret }] = await Promise.all([
    random?.baseKey ?? generateAgreementKey(),
    encapsulate(pq.publicKey, random?.kemMessage),
  ]);
  const handshake: Handshake = {
    signedId: signed.id,
    ...(oneTime && { oneTimeId: oneTime.id }),
    pqKind: pq.kind,
    pqId: pq.id,
    generation,
    baseKey: base.publicKey,
    ciphertext,
  };
  const [th, dh1, dh2, dh3, dh4] = await Promise.all([
    transcript({
      initiator: publicOf(me),
      responder: peer,
      handshake,
      signed: signed.publicKey,
      oneTime: oneTime?.publicKey,
      pq: pq.publicKey,
    }),
    agreeInput(me.identity.privateKey, signed.publicKey),
    agreeInput(base.privateKey, peer.identity),
    agreeOpaque(base.privateKey, signed.publicKey),
    oneTime && agreeInput(base.privateKey, oneTime.publicKey),
  ]);
  const fourth = dh4 ? ([['dh4', dh4]] as const) : [];
  const root = await cascade(dh3, [['dh1', dh1], ['dh2', dh2], ...fourth, ['kem', secret]], th);
  return { handshake, th, root };
};

/** The side of the one who is written to. Throws `prekey-unknown`, `bad-key`, `bad-encoding`. */
export const respond = async (request: {
  me: OwnDevice;
  peer: PublicDevice;
  handshake: Handshake;
  prekeys: NamedPrekeys;
}): Promise<{ th: Bytes; root: Opaque; signed: OwnPrekey<'signed'> }> => {
  const { me, peer, handshake, prekeys } = request;
  const { signedId, oneTimeId, pqKind, pqId, baseKey, ciphertext } = handshake;
  const { signed, pq } = prekeys;
  const oneTime = oneTimeId === undefined ? undefined : prekeys.oneTime;
  if (signed?.kind !== 'signed' || signed.id !== signedId) throw new CryptoError('prekey-unknown', 'signed');
  if (pq?.kind !== pqKind || pq.id !== pqId) throw new CryptoError('prekey-unknown', pqKind);
  if (oneTimeId !== undefined && (oneTime?.kind !== 'one-time' || oneTime.id !== oneTimeId)) {
    throw new CryptoError('prekey-unknown', 'one-time');
  }
  const [th, dh1, dh2, dh3, dh4, secret] = await Promise.all([
    transcript({
      initiator: peer,
      responder: publicOf(me),
      handshake,
      signed: signed.publicKey,
      oneTime: oneTime?.publicKey,
      pq: pq.publicKey,
    }),
    agreeInput(signed.privateKey, peer.identity),
    agreeInput(me.identity.privateKey, baseKey),
    agreeOpaque(signed.privateKey, baseKey),
    oneTime && agreeInput(oneTime.privateKey, baseKey),
    decapsulate(pq, ciphertext),
  ]);
  const fourth = dh4 ? ([['dh4', dh4]] as const) : [];
  const root = await cascade(dh3, [['dh1', dh1], ['dh2', dh2], ...fourth, ['kem', secret]], th);
  return { th, root, signed };
};
