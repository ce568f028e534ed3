import type { DeliveryHash } from '@sotto/contract/ids';
import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { sha256 } from '@sotto/crypto/keys';
import { shareProfile } from '../conversations/settings.ts';
import type { Model } from '../model.ts';
import type { Transport } from '../ports.ts';
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
