import { RelayError } from '@sotto/contract/errors';
import type { AccountId, DeviceId } from '@sotto/contract/ids';
import type { SealingKey } from '@sotto/contract/keys';
import { LIMITS } from '@sotto/contract/limits';
import type {
  BundlesResponse,
  DeviceBundle,
  PrekeysResponse,
  PublishRequest,
} from '@sotto/contract/rest/prekeys';
import { ONE_TIME_REFILL } from '@sotto/crypto/limits';
import { PREKEY_KINDS } from '@sotto/crypto/prekeys';
import type { Device, PrismaClient } from '../store/generated/client.ts';
import type { TransactionClient } from '../store/generated/internal/prismaNamespace.ts';
import { idBytes, idText } from '../store/id-bytes.ts';
import { countPrekeys, issuePrekey, type NamedPrekey, prekeyRow, selectPrekey } from '../store/prekeys.ts';
import { checkPrekeys, checkSealingKey, sealingColumns } from './device-keys.ts';
import type { SharedGate } from './gate.ts';
import type { RateLimits } from './limits.ts';

/** Those of a request, by kind. */
const named = ({ signed, lastResort, oneTime, pqOneTime }: PublishRequest): NamedPrekey[] => [
  ...(signed ? [{ kind: 'signed' as const, prekey: signed }] : []),
  ...(lastResort ? [{ kind: 'pq-last-resort' as const, prekey: lastResort }] : []),
  ...oneTime.map((prekey) => ({ kind: 'one-time' as const, prekey })),
  ...pqOneTime.map((prekey) => ({ kind: 'pq-one-time' as const, prekey })),
];

const ONE_TIME = [PREKEY_KINDS['one-time'], PREKEY_KINDS['pq-one-time']];
const REPLACED = [PREKEY_KINDS.signed, PREKEY_KINDS['pq-last-resort']];

/** Whether a sealing key takes the place of the stored one. @throws RelayError `sealing-key-invalid` */
const isNewer = (stored: Device, { id, createdAt, publicKey }: SealingKey): boolean => {
  const [storedId, storedAt] = [Number(stored.sealingId), Number(stored.sealingCreatedAt)];
  // By number alone: a device tells days, and its clock may have been put back.
  if (id > storedId) return true;
  const same = id === storedId && createdAt === storedAt && publicKey === idText(stored.sealingPublicKey!);
  if (!same) throw new RelayError('sealing-key-invalid');
  return false;
};

interface PrekeyParts {
  now: () => number;
  /** For whom the rows of an account are locked. */
  gate: SharedGate;
  limits: Pick<RateLimits, 'take'>;
  /** Hears of devices whose one-time prekeys are running out. */
  low: (device: DeviceId, left: PrekeysResponse) => void;
}

/** Public keys with which others start sessions, each one-time one given out once. */
export class Prekeys {
  readonly #prisma: PrismaClient;
  readonly #parts: PrekeyParts;

  constructor(prisma: PrismaClient, parts: PrekeyParts) {
    this.#prisma = prisma;
    this.#parts = parts;
  }

  /**
   * All or nothing. An id that is known stands for the key that it came with.
   * @throws RelayError `prekey-invalid`, `sealing-key-invalid`, `too-many-prekeys`, `too-many-requests`, `unauthenticated`,
   * `device-removed`, `busy`
   */
  async publish(account: AccountId, device: DeviceId, request: PublishRequest): Promise<PrekeysResponse> {
    const keys = named(request);
    const { sealingKey } = request;
    if (keys.length > 0 || sealingKey) {
      // Not of who only asks how many there are left.
      this.#parts.limits.take('publish', device);
      const row = await this.#prisma.device.findUnique({ where: { id: idBytes(device) } });
      if (!row) throw new RelayError('unauthenticated');
      const owner = { account, device, signing: new Uint8Array(row.signingKey) };
      await checkPrekeys(owner, keys, this.#parts.now());
      if (sealingKey) await checkSealingKey(owner, sealingKey);
      await this.#parts.gate.run(account, () =>
        this.#prisma.$transaction((tx) => this.#store(tx, device, keys, sealingKey)),
      );
    }
    return countPrekeys(this.#prisma, device, this.#parts.now());
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

  async #store(
    tx: TransactionClient,
    device: DeviceId,
    keys: NamedPrekey[],
    sealingKey: SealingKey | undefined,
  ): Promise<void> {
    const id = idBytes(device);
    // A removal waits for this, or is done: nothing is left of a removed device.
    await tx.$executeRaw`SELECT FROM device WHERE id = ${id} FOR UPDATE`;
    const row = await tx.device.findUnique({ where: { id } });
    if (!row) throw new RelayError('unauthenticated');
    if (row.removedAt) throw new RelayError('device-removed');
    if (sealingKey && isNewer(row, sealingKey)) {
      await tx.device.update({ where: { id }, data: sealingColumns(sealingKey) });
    }
    const now = this.#parts.now();
    await tx.prekey.deleteMany({ where: { device: id, kind: { in: ONE_TIME }, expiresAt: { lte: now } } });
    await tx.prekey.createMany({ data: keys.map((key) => prekeyRow(device, key)), skipDuplicates: true });
    const ids = keys.map(({ prekey }) => BigInt(prekey.id));
    const stored = await tx.prekey.findMany({
      where: { device: id, OR: [{ id: { in: ids } }, { kind: { in: REPLACED } }] },
      select: { kind: true, id: true, publicKey: true },
    });
    for (const { kind, prekey } of keys) {
      const ofKind = stored.filter((row) => row.kind === PREKEY_KINDS[kind]);
      const { publicKey } = ofKind.find((row) => Number(row.id) === prekey.id)!;
      // Empty: given out meanwhile, and this is a late repetition.
      const same = publicKey.length === 0 || idText(publicKey) === prekey.publicKey;
      if (!same) throw new RelayError('prekey-invalid');
    }
    for (const kind of REPLACED) {
      // The highest id stays, so that a late repetition does not bring an old one back.
      const newest = stored.reduce((most, row) => (row.kind === kind && row.id > most ? row.id : most), 0n);
      await tx.prekey.deleteMany({ where: { device: id, kind, id: { lt: newest } } });
    }
    const { oneTime, pqOneTime } = await countPrekeys(tx, device, now);
    if (Math.max(oneTime, pqOneTime) > LIMITS.prekeysPerDevice) throw new RelayError('too-many-prekeys');
  }

  async #bundle(device: DeviceId): Promise<DeviceBundle | undefined> {
    const now = this.#parts.now();
    const [signed, lastResort] = await Promise.all([
      selectPrekey(this.#prisma, device, 'signed'),
      selectPrekey(this.#prisma, device, 'pq-last-resort'),
    ]);
    // Removed meanwhile.
    if (!signed || !lastResort) return undefined;
    const oneTime = await issuePrekey(this.#prisma, device, 'one-time', now);
    const pq = await issuePrekey(this.#prisma, device, 'pq-one-time', now);
    if (oneTime || pq) {
      const left = await countPrekeys(this.#prisma, device, now);
      if (left.oneTime <= ONE_TIME_REFILL || left.pqOneTime <= ONE_TIME_REFILL) this.#parts.low(device, left);
    }
    return {
      device,
      signed,
      ...(oneTime && { oneTime }),
      pqKind: pq ? 'pq-one-time' : 'pq-last-resort',
      pq: pq ?? lastResort,
    };
  }
}
