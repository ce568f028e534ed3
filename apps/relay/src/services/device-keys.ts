import { createHash } from 'node:crypto';
import { RelayError } from '@sotto/contract/errors';
import type { AccountId, DeviceId } from '@sotto/contract/ids';
import type { EcPrekey, PqPrekey, SealingKey } from '@sotto/contract/keys';
import { verifyPrekey } from '@sotto/crypto/prekeys';
import { verifySealingKey } from '@sotto/crypto/sealing-key';
import type { TransactionClient } from '../store/generated/internal/prismaNamespace.ts';
import { DAY, dayOf } from '../store/days.ts';
import { idBytes } from '../store/id-bytes.ts';
import { type NamedPrekey, prekeyRow } from '../store/prekeys.ts';

/** A device and the key that its own keys are signed with. */
export interface SigningDevice {
  account: AccountId;
  device: DeviceId;
  signing: Uint8Array<ArrayBuffer>;
}

/** What a device brings along when it joins an account. */
export interface DeviceKeys {
  sealingKey: SealingKey;
  signed: EcPrekey;
  lastResort: PqPrekey;
}

const prekeysOf = ({ signed, lastResort }: DeviceKeys): NamedPrekey[] => [
  { kind: 'signed', prekey: signed },
  { kind: 'pq-last-resort', prekey: lastResort },
];

/** @throws RelayError `sealing-key-invalid` unless the device signed it */
export const checkSealingKey = async (owner: SigningDevice, sealingKey: SealingKey): Promise<void> => {
  const { account, device, signing } = owner;
  const publicKey = idBytes(sealingKey.publicKey);
  const bytes = { ...sealingKey, publicKey, signature: idBytes(sealingKey.signature) };
  if (!(await verifySealingKey({ account, device, signingPublic: signing, sealingKey: bytes }))) {
    throw new RelayError('sealing-key-invalid');
  }
};

/** @throws RelayError `prekey-invalid` unless the device signed each, for its kind and its time, and no id twice */
export const checkPrekeys = async (owner: SigningDevice, keys: NamedPrekey[], now: number): Promise<void> => {
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

/** @throws RelayError `sealing-key-invalid`, `prekey-invalid` */
export const checkDeviceKeys = async (owner: SigningDevice, keys: DeviceKeys, now: number): Promise<void> => {
  await checkSealingKey(owner, keys.sealingKey);
  await checkPrekeys(owner, prekeysOf(keys), now);
};

export const sealingColumns = ({ id, createdAt, publicKey, signature }: SealingKey) => ({
  sealingId: BigInt(id),
  sealingCreatedAt: BigInt(createdAt),
  sealingPublicKey: idBytes(publicKey),
  sealingSignature: idBytes(signature),
});

/** As which a deleted account is remembered: SHA-256 of its id. */
export const deletedHash = (account: AccountId): Uint8Array<ArrayBuffer> =>
  new Uint8Array(createHash('sha256').update(idBytes(account)).digest());

/** The day alone: a moment would tie one thing to what else happened in it. */
export const midnight = (now: number): Date => new Date(dayOf(now) * DAY);

/** A device of an account that is there, with keys that were checked. */
export const insertDevice = async (
  tx: TransactionClient,
  { account, device, signing }: SigningDevice,
  keys: DeviceKeys,
  now: number,
): Promise<void> => {
  await tx.device.create({
    data: {
      id: idBytes(device),
      account: idBytes(account),
      signingKey: signing,
      ...sealingColumns(keys.sealingKey),
      createdAt: midnight(now),
    },
  });
  await tx.prekey.createMany({ data: prekeysOf(keys).map((key) => prekeyRow(device, key)) });
};
