import { RelayError } from '@sotto/contract/errors';
import type { AccountId, DeviceId } from '@sotto/contract/ids';
import type { EcPrekey } from '@sotto/contract/keys';
import { LIMITS } from '@sotto/contract/limits';
import type {
  BundlesResponse,
  DeviceBundle,
  PrekeysResponse,
  PublishRequest,
} from '@sotto/contract/rest/prekeys';
import { PREKEY_KINDS, type PrekeyKind, verifyPrekey } from '@sotto/crypto/prekeys';
import type pg from 'pg';
import type { Prisma, PrismaClient } from '../store/generated/client.ts';
import { idBytes, idText } from '../store/id-bytes.ts';
import { countPrekeys, issuePrekey, selectPrekey } from '../store/prekeys.ts';

/** A prekey of the wire with what it is for. Both kinds look alike here. */
export interface NamedPrekey {
  kind: PrekeyKind;
  prekey: EcPrekey;
}

interface Owner {
  account: AccountId;
  device: DeviceId;
  signing: Uint8Array<ArrayBuffer>;
}

/** Those of a request, by kind. */
const named = ({ signed, lastResort, oneTime, pqOneTime }: PublishRequest): NamedPrekey[] => [
  ...(signed ? [{ kind: 'signed' as const, prekey: signed }] : []),
  ...(lastResort ? [{ kind: 'pq-last-resort' as const, prekey: lastResort }] : []),
  ...oneTime.map((prekey) => ({ kind: 'one-time' as const, prekey })),
  ...pqOneTime.map((prekey) => ({ kind: 'pq-one-time' as const, prekey })),
];

/** @throws RelayError `prekey-invalid` unless the device signed each, for its kind and its time, and no id twice */
export const verifyPrekeys = async (owner: Owner, keys: NamedPrekey[], now: number): Promise<void> => {
  if (new Set(keys.map(({ kind, prekey }) => `${kind} ${prekey.id}`)).size < keys.length) {
    throw new RelayError('prekey-invalid');
  }
  const { account, device, signing } = owner;
  const valid = await Promise.all(
    keys.map(({ kind, prekey }) => {
      const publicKey = idBytes(prekey.publicKey);
      const bytes = { ...prekey, kind, publicKey, signature: idBytes(prekey.signature) };
      return verifyPrekey({ account, device, signingPublic: signing, prekey: bytes, kind, now });
    }),
  );
  if (valid.includes(false)) throw new RelayError('prekey-invalid');
};

export const prekeyRow = (device: DeviceId, { kind, prekey }: NamedPrekey): Prisma.PrekeyCreateManyInput => ({
  device: idBytes(device),
  kind: PREKEY_KINDS[kind],
  id: BigInt(prekey.id),
  createdAt: BigInt(prekey.createdAt),
  expiresAt: BigInt(prekey.expiresAt),
  publicKey: idBytes(prekey.publicKey),
  signature: idBytes(prekey.signature),
});

/** Public keys with which others start sessions, each one-time one given out once. */
export class Prekeys {
  readonly #prisma: PrismaClient;
  readonly #pool: pg.Pool;
  readonly #now: () => number;

  constructor(prisma: PrismaClient, pool: pg.Pool, options: { now: () => number }) {
    this.#prisma = prisma;
    this.#pool = pool;
    this.#now = options.now;
  }

  /** @throws RelayError `prekey-invalid`, `too-many-prekeys`, `unauthenticated` */
  async publish(account: AccountId, device: DeviceId, request: PublishRequest): Promise<PrekeysResponse> {
    const keys = named(request);
    const row = await this.#prisma.device.findUnique({ where: { id: idBytes(device) } });
    if (!row) throw new RelayError('unauthenticated');
    await verifyPrekeys({ account, device, signing: new Uint8Array(row.signingKey) }, keys, this.#now());
    const left = await this.left(device);
    const most = LIMITS.prekeysPerDevice;
    if (left.oneTime + request.oneTime.length > most || left.pqOneTime + request.pqOneTime.length > most) {
      throw new RelayError('too-many-prekeys');
    }
    await this.#prisma.$transaction([
      this.#prisma.prekey.createMany({
        data: keys.map((key) => prekeyRow(device, key)),
        skipDuplicates: true,
      }),
      ...keys
        .filter(({ kind }) => kind === 'signed' || kind === 'pq-last-resort')
        .map(({ kind, prekey }) =>
          this.#prisma.prekey.deleteMany({
            where: { device: idBytes(device), kind: PREKEY_KINDS[kind], id: { not: BigInt(prekey.id) } },
          }),
        ),
    ]);
    return this.left(device);
  }

  left(device: DeviceId): Promise<PrekeysResponse> {
    return countPrekeys(this.#pool, device);
  }

  /** Uses up a one-time prekey of each kind for every device, as long as there are any. */
  async bundles(account: AccountId, devices: readonly DeviceId[]): Promise<BundlesResponse> {
    const rows = await this.#prisma.device.findMany({
      where: { id: { in: devices.map(idBytes) }, account: idBytes(account), removedAt: null },
      select: { id: true },
    });
    const bundles = await Promise.all(rows.map(({ id }) => this.#bundle(idText<DeviceId>(id))));
    return { bundles: bundles.filter((bundle) => bundle !== undefined) };
  }

  async #bundle(device: DeviceId): Promise<DeviceBundle | undefined> {
    const now = this.#now();
    const [signed, lastResort] = await Promise.all([
      selectPrekey(this.#pool, device, 'signed'),
      selectPrekey(this.#pool, device, 'pq-last-resort'),
    ]);
    // Removed meanwhile.
    if (!signed || !lastResort) return undefined;
    const oneTime = await issuePrekey(this.#pool, device, 'one-time', now);
    const pq = await issuePrekey(this.#pool, device, 'pq-one-time', now);
    return {
      device,
      signed,
      ...(oneTime && { oneTime }),
      pqKind: pq ? 'pq-one-time' : 'pq-last-resort',
      pq: pq ?? lastResort,
    };
  }
}
