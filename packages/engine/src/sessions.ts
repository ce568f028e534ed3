import type { DeviceBundle } from '@sotto/contract/rest/prekeys';
import { fromBase64url } from '@sotto/crypto/bytes';
import type { OwnDevice, PublicDevice } from '@sotto/crypto/handshake';
import type { Bundle, Prekey, PrekeyKind } from '@sotto/crypto/prekeys';
import type { EcPrekey } from '@sotto/contract/keys';
import type { SelfRow } from './rows.ts';

/** This device as sessions need it. */
export const ownDevice = ({ account, device, signing, identity }: SelfRow): OwnDevice => ({
  account,
  device,
  signing,
  identity,
});

/** A device of a contact as sessions need it. */
export const publicDevice = (
  account: string,
  { device, signing, identity }: Omit<PublicDevice, 'account'>,
): PublicDevice => ({ account, device, signing, identity });

const toPrekey = <Kind extends PrekeyKind>(kind: Kind, prekey: EcPrekey): Prekey<Kind> => ({
  kind,
  id: prekey.id,
  createdAt: prekey.createdAt,
  expiresAt: prekey.expiresAt,
  publicKey: fromBase64url(prekey.publicKey),
  signature: fromBase64url(prekey.signature),
});

/** A bundle off the wire; nothing of it has been verified. */
export const toBundle = ({ signed, oneTime, pqKind, pq }: DeviceBundle): Bundle => ({
  signed: toPrekey('signed', signed),
  ...(oneTime && { oneTime: toPrekey('one-time', oneTime) }),
  pq: toPrekey(pqKind, pq),
});
