import type { DeviceId } from '@sotto/contract/ids';
import type { EcPrekey } from '@sotto/contract/keys';
import type { PrekeysResponse } from '@sotto/contract/rest/prekeys';
import { PREKEY_KINDS, type PrekeyKind } from '@sotto/crypto/prekeys';
import type { Prekey, Prisma } from './generated/client.ts';
import type { TransactionClient } from './generated/internal/prismaNamespace.ts';
import { idBytes, idText } from './id-bytes.ts';

/** A prekey of the wire with what it is for. All kinds look alike here. */
export interface NamedPrekey {
  kind: PrekeyKind;
  prekey: EcPrekey;
}

export const prekeyRow = (device: DeviceId, { kind, prekey }: NamedPrekey): Prisma.PrekeyCreateManyInput => ({
  device: idBytes(device),
  kind: PREKEY_KINDS[kind],
  id: BigInt(prekey.id),
  createdAt: BigInt(prekey.createdAt),
  expiresAt: BigInt(prekey.expiresAt),
  publicKey: idBytes(prekey.publicKey),
  signature: idBytes(prekey.signature),
});

const toPrekey = (row: Omit<Prekey, 'device' | 'kind'> | null | undefined): EcPrekey | undefined =>
  row
    ? {
        id: Number(row.id),
        createdAt: Number(row.createdAt),
        expiresAt: Number(row.expiresAt),
        publicKey: idText(row.publicKey),
        signature: idText(row.signature),
      }
    : undefined;

/** The signed prekey or the last resort. */
export const selectPrekey = async (
  db: TransactionClient,
  device: DeviceId,
  kind: PrekeyKind,
): Promise<EcPrekey | undefined> =>
  toPrekey(
    await db.prekey.findFirst({
      where: { device: idBytes(device), kind: PREKEY_KINDS[kind] },
      orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    }),
  );

/**
 * Gives a one-time prekey to one asker alone; those that somebody else is just taking are passed over. Its row stays
 * without the key, so that a late repetition of its publication does not bring it back.
 */
export const issuePrekey = async (
  db: TransactionClient,
  device: DeviceId,
  kind: PrekeyKind,
  now: number,
): Promise<EcPrekey | undefined> => {
  // Materialised: joined in, the choice would be made anew for every row, and take more than one.
  const [row] = await db.$queryRaw<Prekey[]>`
    WITH taken AS MATERIALIZED (
      SELECT * FROM prekey
      WHERE device = ${idBytes(device)} AND kind = ${PREKEY_KINDS[kind]} AND expires_at > ${BigInt(now)} AND public_key <> ''
      ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE prekey SET public_key = '', signature = '' FROM taken
    WHERE prekey.device = taken.device AND prekey.kind = taken.kind AND prekey.id = taken.id
    RETURNING taken.id, taken.created_at AS "createdAt", taken.expires_at AS "expiresAt",
      taken.public_key AS "publicKey", taken.signature`;
  return toPrekey(row);
};

/** Those that can still be given out. */
export const countPrekeys = async (
  db: TransactionClient,
  device: DeviceId,
  now: number,
): Promise<PrekeysResponse> => {
  const groups = await db.prekey.groupBy({
    by: 'kind',
    where: { device: idBytes(device), expiresAt: { gt: now }, publicKey: { not: new Uint8Array() } },
    _count: true,
  });
  const count = (kind: PrekeyKind) => groups.find((group) => group.kind === PREKEY_KINDS[kind])?._count ?? 0;
  return { oneTime: count('one-time'), pqOneTime: count('pq-one-time') };
};
