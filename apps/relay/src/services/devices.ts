import { RelayError } from '@sotto/contract/errors';
import type { AccountId, DeviceId } from '@sotto/contract/ids';
import type { PrismaClient } from '../store/generated/client.ts';
import { idBytes, idText } from '../store/id-bytes.ts';

/** The PostgreSQL channel on which every relay of a database hears of a removed device; the payload is its id. */
export const REMOVED_CHANNEL = 'sotto_device_removed';

/**
 * Removes a device: its key and its inbox go, and every relay ends its connections. Again is the same as once.
 * `account` undefined: whoever owns it.
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
  await prisma.$transaction([
    prisma.device.updateMany({
      where: { id, removedAt: null },
      data: {
        removedAt: new Date(options.now),
        sealingId: null,
        sealingCreatedAt: null,
        sealingPublicKey: null,
        sealingSignature: null,
      },
    }),
    prisma.prekey.deleteMany({ where: { device: id } }),
    prisma.envelope.deleteMany({ where: { device: id } }),
    prisma.$executeRaw`SELECT pg_notify(${REMOVED_CHANNEL}, ${device})`,
  ]);
};
