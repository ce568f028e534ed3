import { AccountId, Handle, InviteSecret } from './ids.ts';

/**
 * What stands behind the `#` of a link, so that no server ever sees it: `/join/<invite>` makes an account,
 * `/join/<invite>/<handle>/<account>` makes one and a verified contact, `/add/<handle>/<account>` a contact alone.
 */
export interface Link {
  invite?: InviteSecret;
  contact?: { handle: Handle; account: AccountId };
}

export const formatLink = (origin: string, link: Link): string => {
  const path = link.invite === undefined ? ['add'] : ['join', link.invite];
  if (link.contact) path.push(link.contact.handle, link.contact.account);
  return `${origin}/#/${path.join('/')}`;
};

/** Reads a link, or only what follows its `#`. Undefined for anything else. */
export const parseLink = (text: string): Link | undefined => {
  const hash = text.trim().split('#').at(-1)!;
  const [kind, ...rest] = hash.replace(/^\//, '').split('/');
  const link: Link = {};
  if (kind === 'join') {
    const invite = InviteSecret.safeParse(rest.shift());
    if (!invite.success) return undefined;
    link.invite = invite.data;
  } else if (kind !== 'add') return undefined;
  if (rest.length === 0) return link.invite === undefined ? undefined : link;
  const [handle, account, ...more] = [
    Handle.safeParse(rest[0]),
    AccountId.safeParse(rest[1]),
    ...rest.slice(2),
  ];
  if (!handle.success || !account.success || more.length > 0) return undefined;
  return { ...link, contact: { handle: handle.data, account: account.data } };
};
