import type { AccountId, DeliveryToken, Handle } from '@sotto/contract/ids';
import type { Link } from '@sotto/contract/link';
import type { ReadModel } from '../model.ts';
import type { SelfRow } from '../rows.ts';
import type { Person } from '../views.ts';

/** A contact as the screen names them. */
export const personOf = (model: ReadModel, account: string): Person => {
  const { self } = model;
  const contact = self?.account === account ? { ...self, verified: true } : model.contacts.get(account);
  const handle = (contact?.handle ?? '') as Handle;
  const group = model.conversations.get(account)?.group;
  return {
    account: account as AccountId,
    handle,
    name: group?.title ?? contact?.name ?? handle,
    verified: contact?.verified ?? false,
    ...(contact?.changed && { changed: contact.changed }),
  };
};

/** What a link says of this account. */
export const contactOf = ({ handle, account, delivery }: SelfRow): NonNullable<Link['contact']> => ({
  handle: handle as Handle,
  account: account as AccountId,
  token: delivery as DeliveryToken,
});
