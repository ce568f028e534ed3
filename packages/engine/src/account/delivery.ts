import type { DeliveryHash } from '@sotto/contract/ids';
import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { sha256 } from '@sotto/crypto/keys';
import { parseEvent } from '@sotto/crypto/chain-event';
import { putSettings, shareProfile, withNewToken } from '../conversations/settings.ts';
import type { Draft, Model } from '../model.ts';
import type { Transport } from '../ports.ts';
import type { AccountKeys, SelfRow } from '../rows.ts';
import { signerOf } from './signer.ts';

/**
 * Tells the relay of a new delivery token, and then those who may have it. Until they have it, what they send is asked
 * about like a stranger's, and taken in like a contact's.
 *
 * @throws RelayError, StoreError; what is left to do is done the next time
 */
export const publishDelivery = async (model: Model, transport: Transport): Promise<void> => {
  const { self } = model;
  if (!self?.deliveryDue) return;
  const { delivery } = self;
  const hash = toBase64url(await sha256(fromBase64url(delivery))) as DeliveryHash;
  await transport.setDelivery(signerOf(self), { delivery: hash });
  await model.change(async (draft) => {
    const { deliveryDue: _, ...now } = (await draft.get('self', 'self'))!;
    if (now.delivery !== delivery) return;
    draft.put('self', now, 'self');
    shareProfile(draft, model, now);
  });
};

/**
 * Makes a new delivery token once devices of the account were revoked, which know the old one: for one device to do, the one
 * that revoked them, or where that is none the oldest. `before` is what was known of the account until now.
 */
export const lockOut = (draft: Draft, before: AccountKeys, self: SelfRow, now: number): SelfRow => {
  const revoked = (self.revoked ?? []).filter((device) => !before.revoked?.includes(device));
  if (revoked.length === 0 || self.joining) return self;
  const active = self.devices.map(({ device }) => device);
  const isMine = self.chain.some(({ event }) => {
    const { body } = parseEvent(event);
    if (body.kind !== 'revoke' || !revoked.includes(body.device)) return false;
    return (active.includes(body.author) ? body.author : active[0]) === self.device;
  });
  return isMine ? putSettings(draft, withNewToken(self), now) : self;
};
