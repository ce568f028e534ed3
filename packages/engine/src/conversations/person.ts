import type { AccountId, Handle } from '@sotto/contract/ids';
import type { Model } from '../model.ts';
import type { Person } from '../views.ts';

/** A contact as the screen names them. */
export const personOf = (model: Model, account: string): Person => {
  const contact = model.contacts.get(account);
  const handle = (contact?.handle ?? '') as Handle;
  return {
    account: account as AccountId,
    handle,
    name: contact?.name ?? handle,
    verified: contact?.verified ?? false,
  };
};
