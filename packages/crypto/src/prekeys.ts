import { encodeAddress, type Address } from './address.ts';
import { concat, equal, lp, u32, u64, u8, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { checkKemPublic, generateKemPair, type KemPrivateKey } from './kem.ts';
import { checkPoint, generateAgreementKey, sign, verify, type PrivateKey } from './keys.ts';
import { I } from './labels.ts';
import { BUNDLE_LIFETIME, CLOCK_TOLERANCE, ONE_TIME_LIFETIME } from './limits.ts';

/** What a prekey is for, as it is signed. */
export const PREKEY_KINDS = { signed: 1, 'one-time': 2, 'pq-last-resort': 3, 'pq-one-time': 4 } as const;

export type PrekeyKind = keyof typeof PREKEY_KINDS;
export type EcKind = 'signed' | 'one-time';
export type PqKind = 'pq-last-resort' | 'pq-one-time';

/** The public half of a prekey, signed by its device. */
export interface Prekey<Kind extends PrekeyKind = PrekeyKind> {
  readonly kind: Kind;
  /** 1 to 2^32 - 1, chosen by the device, never reused by it for this kind. */
  readonly id: number;
  /** Milliseconds since 1970, by the device's clock. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** 65 bytes (P-256) or 1,184 (ML-KEM-768). */
  readonly publicKey: Bytes;
  readonly signature: Bytes;
}

/** A prekey of this device. `supersededAt` is when the relay took a successor of a signed prekey or last resort. */
export type OwnPrekey<Kind extends PrekeyKind = PrekeyKind> = Kind extends EcKind
  ? Prekey<Kind> & { readonly privateKey: PrivateKey; readonly supersededAt?: number }
  : Prekey<Kind> & { readonly privateKey: KemPrivateKey; readonly supersededAt?: number };

/** What the relay hands out for one handshake with a device. */
export interface Bundle {
  readonly signed: Prekey<'signed'>;
  /** Absent when they have run out. */
  readonly oneTime?: Prekey<'one-time'>;
  /** A one-time key while there are any, else the last resort. Never absent. */
  readonly pq: Prekey<PqKind>;
}

export const isPq = (kind: PrekeyKind): kind is PqKind => kind === 'pq-last-resort' || kind === 'pq-one-time';

const lifetime = (kind: PrekeyKind): number =>
  kind === 'signed' || kind === 'pq-last-resort' ? BUNDLE_LIFETIME : ONE_TIME_LIFETIME;

/** Throws `bad-encoding` for an id or a time out of bounds. */
const statement = (owner: Address, kind: PrekeyKind, key: Omit<Prekey, 'kind' | 'signature'>): Bytes => {
  if (key.id === 0) throw new CryptoError('bad-encoding', 'id 0');
  const times = concat(u64(key.createdAt), u64(key.expiresAt));
  const context = [encodeAddress(owner), u8(PREKEY_KINDS[kind]), u32(key.id), times, lp(key.publicKey)];
  return I('prekey', concat(...context));
};

const generate = (kind: PrekeyKind): Promise<{ publicKey: Bytes; privateKey: PrivateKey | KemPrivateKey }> =>
  isPq(kind) ? generateKemPair() : generateAgreementKey();

/**
 * Signs a pair as a prekey. Throws `bad-encoding` for ids or times out of bounds. Where the pair comes from is the
 * caller's business: `makePrekeys` is what devices use.
 */
export const signPrekey = async <Kind extends PrekeyKind>(
  request: Address & {
    signing: PrivateKey;
    kind: Kind;
    id: number;
    createdAt: number;
    pair: { publicKey: Bytes; privateKey: OwnPrekey<Kind>['privateKey'] };
  },
): Promise<OwnPrekey<Kind>> => {
  const { signing, kind, id, createdAt, pair } = request;
  const expiresAt = createdAt + lifetime(kind);
  const { publicKey, privateKey } = pair;
  const signature = await sign(signing, statement(request, kind, { id, createdAt, expiresAt, publicKey }));
  // The compiler does not resolve the conditional type of a parameter.
  return { kind, id, createdAt, expiresAt, publicKey, privateKey, signature } as unknown as OwnPrekey<Kind>;
};

/** `count` fresh prekeys of a kind with ids from `firstId` on. Throws `bad-encoding` for ids or times out of bounds. */
export const makePrekeys = <Kind extends PrekeyKind>(
  request: Address & { signing: PrivateKey; kind: Kind; firstId: number; count: number; createdAt: number },
): Promise<OwnPrekey<Kind>[]> => {
  const { account, device, signing, kind, firstId, count, createdAt } = request;
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const pair = (await generate(kind)) as { publicKey: Bytes; privateKey: OwnPrekey<Kind>['privateKey'] };
      return signPrekey({ account, device, signing, kind, id: firstId + i, createdAt, pair });
    }),
  );
};

/** What others may see of a prekey. */
export const publicPrekey = <Kind extends PrekeyKind>(own: Prekey<Kind>): Prekey<Kind> => {
  const { kind, id, createdAt, expiresAt, publicKey, signature } = own;
  return { kind, id, createdAt, expiresAt, publicKey, signature };
};

const isCurrent = (key: Prekey, now: number): boolean =>
  key.createdAt <= now + CLOCK_TOLERANCE &&
  key.expiresAt > now &&
  key.expiresAt - key.createdAt > 0 &&
  key.expiresAt - key.createdAt <= lifetime(key.kind);

/**
 * Whether the device signed this key for this kind, in its time. False also for a key that is none; throws `bad-key`
 * only for a bad `signingPublic`, which comes out of a verified chain.
 */
export const verifyPrekey = async (
  request: Address & { signingPublic: Bytes; prekey: Prekey; kind: PrekeyKind; now: number },
): Promise<boolean> => {
  const { signingPublic, prekey, kind, now } = request;
  checkPoint(signingPublic);
  try {
    if (prekey.kind !== kind || !isCurrent(prekey, now)) return false;
    if (isPq(kind)) checkKemPublic(prekey.publicKey);
    else checkPoint(prekey.publicKey);
    return await verify(signingPublic, prekey.signature, statement(request, kind, prekey));
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
};

/**
 * Checks all of a bundle before any of it is used: every signature, kind and time, and that nothing is missing.
 * Throws `bad-bundle`; and `bad-key` for a bad `signing`, which comes out of a verified chain.
 */
export const verifyBundle = async (request: {
  peer: Address & { signing: Bytes; identity: Bytes };
  bundle: Bundle;
  now: number;
}): Promise<void> => {
  const { peer, now } = request;
  // What comes over the wire may lack what its type promises.
  const { signed, oneTime, pq }: Partial<Bundle> = request.bundle;
  if (!signed || !pq || !isPq(pq.kind)) throw new CryptoError('bad-bundle', 'incomplete');
  const check = (prekey: Prekey, kind: PrekeyKind) =>
    verifyPrekey({ ...peer, signingPublic: peer.signing, prekey, kind, now });
  const valid = await Promise.all([
    check(signed, 'signed'),
    oneTime ? check(oneTime, 'one-time') : true,
    check(pq, pq.kind),
  ]);
  if (valid.includes(false)) throw new CryptoError('bad-bundle');
  const points = [peer.signing, peer.identity, signed.publicKey, ...(oneTime ? [oneTime.publicKey] : [])];
  if (points.some((one, i) => points.slice(i + 1).some((other) => equal(one, other)))) {
    throw new CryptoError('bad-bundle', 'one key for two purposes');
  }
};
