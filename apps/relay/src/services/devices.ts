import { RelayError } from '@sotto/contract/errors';
import type { AccountId, DeviceId } from '@sotto/contract/ids';
import type { PrismaClient } from '../store/generated/client.ts';
import type { TransactionClient } from '../store/generated/internal/prismaNamespace.ts';
import { isConflict } from '../store/database.ts';
import { idBytes, idText } from '../store/id-bytes.ts';
import { deletedHash, midnight } from './device-keys.ts';

/** The PostgreSQL channel on which every relay of a database hears of a removed device; the payload is its id. */
export const REMOVED_CHANNEL = 'sotto_device_removed';

type Ids = Uint8Array<ArrayBuffer>[];

/** How often a removal that stood in another's way is tried. */
const ATTEMPTS = 4;

const transaction = async (
  prisma: PrismaClient,
  work: (tx: TransactionClient) => Promise<void>,
): Promise<void> => {
  for (let left = ATTEMPTS - 1; ; left -= 1) {
    try {
      return await prisma.$transaction(work);
    } catch (error) {
      if (left === 0 || !isConflict(error)) throw error;
    }
  }
};

/** Ends the connections of devices on every relay, once this is committed. */
const announce = async (tx: TransactionClient, ids: Ids): Promise<void> => {
  for (const id of ids) await tx.$executeRaw`SELECT pg_notify(${REMOVED_CHANNEL}, ${idText(id)})`;
};

/** Acks take the rows in this order too: otherwise the two could wait for each other. */
const deleteInboxes = async (tx: TransactionClient, ids: Ids): Promise<void> => {
  await tx.$executeRaw`SELECT FROM envelope WHERE device = ANY(${ids}) ORDER BY device, id FOR UPDATE`;
  await tx.envelope.deleteMany({ where: { device: { in: ids } } });
};

/** Removes devices with their keys and inboxes. */
export const removeDevices = async (tx: TransactionClient, ids: Ids, now: number): Promise<void> => {
  await tx.device.updateMany({
    where: { id: { in: ids }, removedAt: null },
    data: {
      removedAt: midnight(now),
      sealingId: null,
      sealingCreatedAt: null,
      sealingPublicKey: null,
      sealingSignature: null,
    },
  });
  await tx.prekey.deleteMany({ where: { device: { in: ids } } });
  await deleteInboxes(tx, ids);
  await announce(tx, ids);
};

/**
 * Removes a device: again is the same as once. `account` undefined: whoever owns it.
 * @throws RelayError `device-unknown`, `forbidden` when it is another account's
 */
export const removeDevice = async (
  prisma: PrismaClient,
  device: DeviceId,
  options: { account: AccountId | undefined; now: number },
): Promise<void> => {
  const id = idBytes(device);
  const row = await prisma.device.findUnique({ where: { id } });
  if (!row) throw new RelayError('device-unknown');
  if (options.account !== undefined && idText(row.account) !== options.account)
    throw new RelayError('forbidden');
  await transaction(prisma, (tx) => removeDevices(tx, [id], options.now));
};

/**
 * Deletes an account with everything that is only its own: chain, devices, keys, inboxes. Its handle is free again. What
 * stays are its places in channels, until their members take it out: that list is theirs, they have signed it; and a hash
 * of its id, so that no device that was its own brings it back into them.
 * @throws RelayError `account-unknown`
 */
export const removeAccount = (prisma: PrismaClient, account: AccountId): Promise<void> =>
  transaction(prisma, async (tx) => {
    const id = idBytes(account);
    // An event that is just added waits, and then finds no account.
    await tx.$executeRaw`SELECT FROM account WHERE id = ${id} FOR UPDATE`;
    const devices = await tx.device.findMany({ where: { account: id }, select: { id: true } });
    const ids = devices.map((device) => device.id);
    const { count } = await tx.account.deleteMany({ where: { id } });
    if (count === 0) throw new RelayError('account-unknown');
    await tx.deletedAccount.create({ data: { hash: deletedHash(account) } });
    await deleteInboxes(tx, ids);
    await announce(tx, ids);
  });
