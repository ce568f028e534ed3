import { LIMITS } from '@sotto/contract/limits';
import { equal, fromBase64url, toBase64url, utf8, type Bytes } from '@sotto/crypto/bytes';
import type { GroupKeys } from '@sotto/crypto/channel';
import { CryptoError } from '@sotto/crypto/errors';
import { isField, openField } from '@sotto/crypto/group-field';
import { isNamed, roleOf } from '@sotto/crypto/membership-state';
import { cleanName } from '../clean-text.ts';
import { putConversation } from '../conversations/draft.ts';
import type { Draft } from '../model.ts';
import type { ConversationRow, FieldOpening, GroupBrief, GroupRow, GroupStop } from '../rows.ts';
import { linkOf, pinOf } from './settings.ts';

/** Channel keys kept of one group: posts under old ones may still come. */
const KEPT_CHANNELS = 16;

export const putGroup = (draft: Draft, row: GroupRow): void => draft.put('group', row, row.group);

/** The keys to post with; undefined when the channel key is not here, or one is to be made first. */
export const keysInForce = ({ state, channels, log }: GroupRow): GroupKeys | undefined => {
  const channel = state && channels.find(({ id }) => equal(id, state.channel));
  return channel && !state.rekeyDue ? { channel, log } : undefined;
};

/** With one more channel key, if it is new. */
export const withChannel = (row: GroupRow, channel: GroupRow['log']): GroupRow => {
  if (row.channels.some(({ id }) => equal(id, channel.id))) return row;
  const { state } = row;
  const isEarlier = state !== undefined && isNamed(state, channel.id) && !equal(channel.id, state.channel);
  const all = isEarlier ? [...row.channels, channel] : [channel, ...row.channels];
  // Whatever members hand over, those that the log names stay.
  const named = all.filter(({ id }) => state && isNamed(state, id));
  const others = all.filter((one) => !named.includes(one)).slice(0, KEPT_CHANNELS - named.length);
  return { ...row, channels: all.filter((one) => named.includes(one) || others.includes(one)) };
};

const NAMED = ['title', 'description', 'settings'] as const;

/** What `value` of a field says as far as it can be found out: by what was told, or by the key that it was sealed under. */
export const textOf = async (
  row: GroupRow,
  { field, value }: { field: (typeof NAMED)[number]; value: Bytes | undefined },
  told: readonly (FieldOpening | undefined)[],
): Promise<FieldOpening | undefined> => {
  if (!value) return undefined;
  for (const opening of told) {
    if (!opening) continue;
    const opened = { salt: fromBase64url(opening.salt), text: utf8(opening.text) };
    if (await isField(row.group, field, value, opened)) return opening;
  }
  for (const channel of row.channels) {
    try {
      const { salt, text } = await openField(channel, field, value);
      return { salt: toBase64url(salt), text: new TextDecoder().decode(text) };
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
    }
  }
  return undefined;
};

/** With the texts that its log names; of `told`, what holds against the log. Before the log was read all of it is kept. */
export const withTexts = async (row: GroupRow, told: GroupRow['texts'] = {}): Promise<GroupRow> => {
  if (!row.state) return { ...row, texts: { ...row.texts, ...told } };
  const texts: NonNullable<GroupRow['texts']> = {};
  for (const field of NAMED) {
    const value = row.state.fields[field];
    const text = await textOf(row, { field, value }, [row.texts?.[field], told[field]]);
    if (text) texts[field] = text;
  }
  return { ...row, texts };
};

const briefOf = (row: GroupRow, me: string): GroupBrief => {
  const { members, policy } = row.state!;
  const role = row.left ? undefined : roleOf(row.state!, me);
  const isSmall = members.length <= LIMITS.receiptMembers;
  const { title, description } = row.texts ?? {};
  const link = linkOf(row);
  const asking = role === 'member' ? 0 : (row.requests ?? []).filter(({ checked }) => checked).length;
  return {
    title: cleanName(title?.text ?? ''),
    ...(description && { description: description.text }),
    members: members.length,
    policy,
    ...(role && asking > 0 && { asking }),
    ...(role && { role }),
    ...(row.joined && { by: row.joined.by }),
    ...(row.stopped && !row.left && { stopped: row.stopped }),
    ...(isSmall && { others: members.map(({ account }) => account).filter((account) => account !== me) }),
    ...(role && link && { link: { ...link, pin: pinOf(row) } }),
  };
};

/** Stores a group whose log has been read, and what lists show of it. */
export const showGroup = async (
  draft: Draft,
  row: GroupRow,
  { me, now, request }: { me: string; now: number; request?: boolean },
): Promise<void> => {
  putGroup(draft, row);
  const known = await draft.get('conversation', row.group);
  const group = briefOf(row, me);
  if (!known && !group.role) return;
  const fresh: ConversationRow = { id: row.group, createdAt: now, unread: 0, floors: {} };
  const { request: was, ...rest } = known ?? fresh;
  const isRequest = request ?? was ?? false;
  putConversation(draft, { ...rest, group, ...(isRequest && { request: true }) });
};

/** Nothing is sent in the group, and nothing taken in, from now on. */
export const stopGroup = async (
  draft: Draft,
  row: GroupRow,
  why: GroupStop,
  at: { me: string; now: number },
): Promise<void> => showGroup(draft, { ...row, stopped: row.stopped ?? why }, at);
