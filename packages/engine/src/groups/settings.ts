import { GroupSettings } from '@sotto/contract/content';
import { toBase64url, utf8 } from '@sotto/crypto/bytes';
import { decode, encode } from '@sotto/crypto/canonical';
import { CryptoError } from '@sotto/crypto/errors';
import { linkPin, openLink, type GroupLinkKeys } from '@sotto/crypto/group-link';
import { roleOf } from '@sotto/crypto/membership-state';
import type { GroupRow, LinkSettings } from '../rows.ts';

/** The link of a group as its log has it; undefined where there is none, or it cannot be read here. */
export const linkOf = ({ texts }: Pick<GroupRow, 'texts'>): LinkSettings | undefined => {
  if (!texts?.settings) return undefined;
  try {
    return GroupSettings.safeParse(decode(utf8(texts.settings.text))).data?.link;
  } catch (error) {
    if (error instanceof CryptoError) return undefined;
    throw error;
  }
};

/** The text of the settings; undefined for none. */
export const settingsText = (link: LinkSettings | undefined): string =>
  link ? new TextDecoder().decode(encode({ link })) : '';

export const linkKeysOf = async (row: GroupRow): Promise<GroupLinkKeys | undefined> => {
  const link = linkOf(row);
  return link && openLink(row.group, link.secret);
};

const HASH_BYTES = 32;

/** By which links name this group's log. */
export const pinOf = ({ state }: GroupRow): string => linkPin(state!.history.slice(0, HASH_BYTES));

export const manages = ({ state }: GroupRow, account: string): boolean => {
  const role = state && roleOf(state, account);
  return role === 'admin' || role === 'owner';
};

/** The id of a link's key as rows have it. */
export const idOf = ({ id }: GroupLinkKeys): string => toBase64url(id);
