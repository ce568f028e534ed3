import { AccountId, ChannelId, DeliveryToken, Handle, InviteSecret, LinkPin, LinkSecret } from './ids.ts';

/** What leads into a group: its id, the secret of the link, and the beginning of the hash of its log's first entry. */
export interface GroupLink {
  channel: ChannelId;
  secret: LinkSecret;
  pin: LinkPin;
}

/**
 * What stands behind the `#` of a link, so that no server ever sees it: `/join/<invite>` makes an account,
 * `/join/<invite>/<handle>/<account>` makes one and a verified contact, `/add/<handle>/<account>` a contact alone. With the
 * contact's delivery token behind, what is written to them is no request. `/group/<channel>/<secret>/<pin>` leads into a group.
 */
export interface Link {
  invite?: InviteSecret;
  contact?: { handle: Handle; account: AccountId; token?: DeliveryToken };
  group?: GroupLink;
}

export const formatLink = (origin: string, link: Link): string => {
  if (link.group) {
    const { channel, secret, pin } = link.group;
    return `${origin}/#/group/${channel}/${secret}/${pin}`;
  }
  const path = link.invite === undefined ? ['add'] : ['join', link.invite];
  if (link.contact) {
    const { handle, account, token } = link.contact;
    path.push(handle, account, ...(token === undefined ? [] : [token]));
  }
  return `${origin}/#/${path.join('/')}`;
};

const parseGroup = (parts: readonly string[]): Link | undefined => {
  const channel = ChannelId.safeParse(parts[0]);
  const secret = LinkSecret.safeParse(parts[1]);
  const pin = LinkPin.safeParse(parts[2]);
  if (!channel.success || !secret.success || !pin.success || parts.length > 3) return undefined;
  return { group: { channel: channel.data, secret: secret.data, pin: pin.data } };
};

/** Reads a link, or only what follows its `#`. Undefined for anything else. */
export const parseLink = (text: string): Link | undefined => {
  const hash = text.trim().split('#').at(-1)!;
  const [kind, ...rest] = hash.replace(/^\//, '').split('/');
  if (kind === 'group') return parseGroup(rest);
  const link: Link = {};
  if (kind === 'join') {
    const invite = InviteSecret.safeParse(rest.shift());
    if (!invite.success) return undefined;
    link.invite = invite.data;
  } else if (kind !== 'add') return undefined;
  if (rest.length === 0) return link.invite === undefined ? undefined : link;
  const handle = Handle.safeParse(rest[0]);
  const account = AccountId.safeParse(rest[1]);
  const token = DeliveryToken.safeParse(rest[2]);
  if (!handle.success || !account.success || rest.length > 3) return undefined;
  if (rest.length === 3 && !token.success) return undefined;
  const contact = { handle: handle.data, account: account.data };
  return { ...link, contact: token.success ? { ...contact, token: token.data } : contact };
};
