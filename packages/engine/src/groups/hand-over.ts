import type { GroupContent } from '@sotto/contract/content';
import type { ChannelId } from '@sotto/contract/ids';
import type { Address } from '@sotto/crypto/address';
import { equal } from '@sotto/crypto/bytes';
import { acceptGroupKeys, groupOfKeys, handOverGroupKeys } from '@sotto/crypto/channel';
import { CryptoError } from '@sotto/crypto/errors';
import type { Handed } from '@sotto/crypto/group-carrier';
import { roleOf } from '@sotto/crypto/membership-state';
import { acceptSenderKey, groupOfSenderKey } from '@sotto/crypto/sender-key-receive';
import { handOverSenderKey, isSenderKeyDue } from '@sotto/crypto/sender-key';
import type { Draft } from '../model.ts';
import type { GroupRow, OutboxRow } from '../rows.ts';
import { keysInForce, putGroup, showGroup, withChannel, withTexts } from './group-rows.ts';

interface To {
  account: string;
  /** One device of theirs alone. */
  device?: string;
}

const put = (draft: Draft, { account, device }: To, row: Pick<OutboxRow, 'content' | 'hand'>): void => {
  const seq = draft.nextSeq();
  draft.put('outbox', { seq, conversation: account, ...row, ...(device && { to: device }) }, seq);
};

const contentOf = ({ group, texts: { title, description } = {} }: GroupRow): GroupContent => ({
  kind: 'group',
  group: group as ChannelId,
  ...(title && { title }),
  ...(description && { description }),
});

/** For the outbox: what is said of a group to somebody, in a session. */
export const tellOfGroup = (
  draft: Draft,
  group: string,
  to: To,
  what: Omit<GroupContent, 'kind' | 'group'>,
): void => put(draft, to, { content: { kind: 'group', group: group as ChannelId, ...what } });

/** For the outbox: both keys of a group, and what it is called. */
export const handKeys = (draft: Draft, row: GroupRow, to: readonly To[]): void => {
  for (const one of to) {
    const content = contentOf(row);
    put(draft, one, { content, hand: { group: row.group } });
    if (content.title ?? content.description) put(draft, one, { content });
    // By itself: what is older than these does not know them.
    const settings = row.texts?.settings;
    if (settings) tellOfGroup(draft, row.group, one, { settings });
  }
};

/**
 * For the outbox: this device's sender key as it stands. They read what is sent from now on, whenever it reaches them. The
 * group with the key as it goes on.
 */
export const handSender = async (
  draft: Draft,
  row: GroupRow,
  to: readonly To[],
  now: number,
): Promise<GroupRow> => {
  const { own, state } = row;
  if (to.length === 0 || !own || !state || isSenderKeyDue(own, state, now)) return row;
  const { own: next } = await handOverSenderKey({ own, state, now });
  const { chainId, n } = own;
  const hand = { group: row.group, sender: { chainId, n } };
  for (const one of to) put(draft, one, { content: contentOf({ ...row, texts: {} }), hand });
  return { ...row, own: next, handing: [...(row.handing ?? []), own] };
};

/** Without the states of sender keys that nobody waits for any more. */
export const withoutHanded = (row: GroupRow, outbox: Iterable<OutboxRow>): GroupRow => {
  const { handing, ...rest } = row;
  if (!handing) return row;
  const waiting = [...outbox].flatMap(({ hand }) => (hand?.group === row.group ? (hand.sender ?? []) : []));
  const left = handing.filter(({ chainId, n }) =>
    waiting.some((sender) => sender.chainId === chainId && sender.n === n),
  );
  return left.length > 0 ? { ...rest, handing: left } : rest;
};

/** What an outbox row hands over; undefined when it is of no use any more. Not to be stored. */
export const handedFor = async (
  draft: Draft,
  { hand, conversation }: OutboxRow,
  now: number,
): Promise<Handed | undefined> => {
  const row = await draft.get('group', hand!.group);
  const state = row?.state;
  if (!state || row.stopped || !roleOf(state, conversation)) return undefined;
  const { sender } = hand!;
  if (!sender) {
    const keys = keysInForce(row);
    // Whoever makes the next key hands it to everybody.
    return keys && handOverGroupKeys({ keys, state });
  }
  const own = row.handing?.find(({ chainId, n }) => chainId === sender.chainId && n === sender.n);
  if (!own || isSenderKeyDue(own, state, now)) return undefined;
  return (await handOverSenderKey({ own, state, now })).handed;
};

const takeGroupKeys = async (draft: Draft, group: string, handed: Handed, me: string, now: number) => {
  const { keys } = await acceptGroupKeys(handed);
  const known = await draft.get('group', group);
  // Until the log has been read with it, no key is more likely to be right than another.
  if (!known?.state) return putGroup(draft, { group, log: keys.log, channels: [keys.channel] });
  if (!equal(known.log.id, keys.log.id)) throw new CryptoError('cannot-decrypt');
  const row = withChannel(known, keys.channel);
  if (row !== known) await showGroup(draft, await withTexts(row), { me, now });
};

/**
 * Takes in a key that a device handed over; the group that it is of. Throws CryptoError for what is none, or not of that
 * group.
 */
export const takeHanded = async (
  draft: Draft,
  from: Address,
  handed: Handed,
  { me, now }: { me: string; now: number },
): Promise<string> => {
  const ofKeys = groupOfKeys(handed.context);
  if (ofKeys !== undefined) {
    await takeGroupKeys(draft, ofKeys, handed, me, now);
    return ofKeys;
  }
  const group = groupOfSenderKey(handed.context);
  if (group === undefined) throw new CryptoError('cannot-decrypt');
  const { account, device } = from;
  const key: [string, string, string] = [group, account, device];
  const known = await draft.get('sender', key);
  const keys = await acceptSenderKey({ state: known?.keys, group, from, handed, now });
  if (keys !== known?.keys) draft.put('sender', { group, account, device, keys }, key);
  return group;
};

/** What a group is called, as who handed over its keys says. */
export const takeTexts = async (
  draft: Draft,
  { group, title, description, settings }: GroupContent,
  at: { me: string; now: number },
): Promise<void> => {
  const row = await draft.get('group', group);
  if (!row) return;
  const told = {
    ...(title && { title }),
    ...(description && { description }),
    ...(settings && { settings }),
  };
  if (Object.keys(told).length === 0) return;
  const next = await withTexts(row, told);
  if (next.state) await showGroup(draft, next, at);
  else putGroup(draft, next);
};
