import type { GroupContent } from '@sotto/contract/content';
import type { ChannelId } from '@sotto/contract/ids';
import type { Address } from '@sotto/crypto/address';
import { equal, toBase64url, type Bytes } from '@sotto/crypto/bytes';
import {
  acceptGroupKeys,
  type GroupKeys,
  groupOfKeys,
  handOverEarlierKeys,
  handOverGroupKeys,
} from '@sotto/crypto/channel';
import { CryptoError } from '@sotto/crypto/errors';
import type { Handed } from '@sotto/crypto/group-carrier';
import { heldUntil, isNamed, roleOf } from '@sotto/crypto/membership-state';
import { acceptSenderKey, groupOfSenderKey } from '@sotto/crypto/sender-key-receive';
import { handOverSenderKey, isSenderKeyDue } from '@sotto/crypto/sender-key';
import type { Draft } from '../model.ts';
import type { GroupRow, OutboxRow, SelfRow, Sending } from '../rows.ts';
import { keysInForce, putGroup, showGroup, withChannel, withTexts } from './group-rows.ts';
import { putSending, sendingOf } from './sending.ts';

/** Sender keys that a device may hand over for groups of which nothing here says that it is in them. */
export const EARLY_KEYS = 32;

/** How many others may hand over keys for another log of one group, before its log is read. */
const RIVALS = 8;

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

const putKeys = (draft: Draft, row: GroupRow, to: To, id: Bytes | undefined): void => {
  const hand = { group: row.group, ...(id && { channel: toBase64url(id) }) };
  put(draft, to, { content: contentOf({ ...row, texts: {} }), hand });
};

/** For the outbox: the channel keys of before, or those of `ids`, that are here and that somebody has to have had. */
export const handEarlier = (draft: Draft, row: GroupRow, to: readonly To[], ids?: readonly Bytes[]): void => {
  for (const { id } of row.channels) {
    if (ids && !ids.some((one) => equal(one, id))) continue;
    for (const one of to)
      if (heldUntil(row.state!, id, one.account) !== undefined) putKeys(draft, row, one, id);
  }
};

/** For the outbox: both keys of a group; and to who may not know it (`isNew`) what it is called. */
export const handKeys = (
  draft: Draft,
  row: GroupRow,
  to: readonly To[],
  isNew: (to: To) => boolean = () => true,
): void => {
  const content = contentOf(row);
  const settings = row.texts?.settings;
  for (const one of to) {
    putKeys(draft, row, one, keysInForce(row)?.channel.id);
    if (!isNew(one)) continue;
    if (content.title ?? content.description) put(draft, one, { content });
    // By itself: what is older than these does not know them.
    if (settings) tellOfGroup(draft, row.group, one, { settings });
  }
};

/**
 * For the outbox: this device's sender key as it stands. They read what is sent from now on, whenever it reaches them.
 */
export const handSender = async (
  draft: Draft,
  row: GroupRow,
  to: readonly To[],
  { self, now }: { self: SelfRow; now: number },
): Promise<void> => {
  const { state } = row;
  const sending = to.length > 0 ? await sendingOf(draft, row.group, self) : undefined;
  if (!sending || !state || isSenderKeyDue(sending.own, state, now)) return;
  const { own, handing = [] } = sending;
  const { own: next } = await handOverSenderKey({ own, state, now });
  const { chainId, n } = own;
  const hand = { group: row.group, sender: { chainId, n } };
  for (const one of to) put(draft, one, { content: contentOf({ ...row, texts: {} }), hand });
  putSending(draft, row.group, self, { own: next, handing: [...handing, own] });
};

/** Without the states of sender keys that nobody waits for any more. */
export const withoutHanded = (
  sending: Sending,
  { group }: GroupRow,
  outbox: Iterable<OutboxRow>,
): Sending => {
  const { handing, own } = sending;
  if (!handing) return sending;
  const waiting = [...outbox].flatMap(({ hand }) => (hand?.group === group ? (hand.sender ?? []) : []));
  const left = handing.filter(({ chainId, n }) =>
    waiting.some((sender) => sender.chainId === chainId && sender.n === n),
  );
  return left.length > 0 ? { own, handing: left } : { own };
};

const makeHanded = async (
  row: GroupRow,
  sending: Sending | undefined,
  { sender }: NonNullable<OutboxRow['hand']>,
  now: number,
): Promise<Handed | undefined> => {
  const state = row.state!;
  if (!sender) {
    const keys = keysInForce(row);
    // Whoever makes the next key hands it to everybody.
    return keys && handOverGroupKeys({ keys, state });
  }
  const own = sending?.handing?.find(({ chainId, n }) => chainId === sender.chainId && n === sender.n);
  if (!own || isSenderKeyDue(own, state, now)) return undefined;
  return (await handOverSenderKey({ own, state, now })).handed;
};

/** The keys that a row is to hand over, where the channel key is one of before by now. */
const earlierKeys = (row: GroupRow, { channel }: NonNullable<OutboxRow['hand']>): GroupKeys | undefined => {
  const keys = row.channels.find(({ id }) => toBase64url(id) === channel);
  const inForce = keysInForce(row)?.channel;
  return keys && keys !== inForce ? { channel: keys, log: row.log } : undefined;
};

/** What an outbox row hands over; undefined when it is of no use any more. Not to be stored. */
export type Hands = (row: OutboxRow) => Promise<Handed | undefined>;

/** For one draft: what is the same for many is made once. */
export const createHands = (draft: Draft, self: SelfRow, now: number): Hands => {
  const made = new Map<string, Promise<Handed | undefined>>();
  return async ({ hand, conversation }) => {
    if (!hand) return undefined;
    const row = await draft.get('group', hand.group);
    if (!row?.state || row.stopped || !roleOf(row.state, conversation)) return undefined;
    const keys = earlierKeys(row, hand);
    if (keys) {
      const isTheirs = heldUntil(row.state, keys.channel.id, conversation) !== undefined;
      return isTheirs ? handOverEarlierKeys({ keys, state: row.state, to: conversation }) : undefined;
    }
    // It may be long until somebody writes, and who is to be handed the keys waits.
    if (!hand.sender && row.state.rekeyDue) putGroup(draft, { ...row, overdue: row.state.channel });
    const { chainId = '', n = 0 } = hand.sender ?? {};
    const name = `${hand.group} ${chainId} ${n}`;
    const make = async () => makeHanded(row, await sendingOf(draft, hand.group, self), hand, now);
    const known = made.get(name) ?? make();
    made.set(name, known);
    return known;
  };
};

/** Of each who handed over keys for another log the latest: until one has been read, none is more likely to be right. */
const withRival = (row: GroupRow, by: string, { log, channel }: GroupKeys): GroupRow => {
  const all = row.rivals ?? [];
  const before = all.find((one) => one.by === by);
  const channels =
    before && equal(before.log.id, log.id) ? withChannel({ ...row, ...before }, channel).channels : [channel];
  const others = all.filter((one) => one !== before);
  return { ...row, rivals: [...others.slice(0, RIVALS - 1), { by, log, channels }] };
};

/** With what `by` says of the log, in place of what they said before. */
const withStated = (row: GroupRow, said: NonNullable<GroupRow['stated']>[number]): GroupRow => {
  const others = (row.stated ?? []).filter((one) => one.by !== said.by);
  return { ...row, stated: [...others.slice(0, RIVALS), said] };
};

const takeGroupKeys = async (
  draft: Draft,
  group: string,
  handed: Handed,
  { from, me, now }: { from: string; me: string; now: number },
): Promise<void> => {
  const { keys, epoch, stateHash: hash } = await acceptGroupKeys(handed);
  const said = { by: from, epoch, hash };
  const known = await draft.get('group', group);
  if (!known) return putGroup(draft, { group, log: keys.log, channels: [keys.channel], stated: [said] });
  const isSame = equal(known.log.id, keys.log.id);
  // What came before is kept: what the group is called, what was sent along, and the key that this one is the next of.
  if (!known.state) {
    const row = isSame ? withChannel(known, keys.channel) : withRival(known, from, keys);
    return putGroup(draft, withStated(row, said));
  }
  // One that is not in the log, though that has come as far, is none of the group.
  const isOurs = epoch > known.state.epoch || isNamed(known.state, keys.channel.id);
  if (!isSame || !isOurs) throw new CryptoError('cannot-decrypt');
  const row = withChannel(known, keys.channel);
  if (row !== known) await showGroup(draft, await withTexts(row), { me, now });
};

/** Whether the log, as far as it was read, has somebody in the group. */
const isKnownMember = async (draft: Draft, group: string, account: string): Promise<boolean> => {
  const row = await draft.get('group', group);
  return row?.state !== undefined && roleOf(row.state, account) !== undefined;
};

/** A key may come before the log does; of such a device keeps the latest alone. */
const keepEarly = async (draft: Draft, { account, device }: Address, group: string): Promise<void> => {
  if (await isKnownMember(draft, group, account)) return;
  const peer = await draft.get('peer', [account, device]);
  if (!peer) return;
  const early = [...(peer.early ?? []).filter((one) => one !== group), group];
  for (const one of early.splice(0, early.length - EARLY_KEYS)) {
    if (!(await isKnownMember(draft, one, account))) draft.remove('sender', [one, account, device]);
  }
  draft.put('peer', { ...peer, early }, [account, device]);
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
    await takeGroupKeys(draft, ofKeys, handed, { from: from.account, me, now });
    return ofKeys;
  }
  const group = groupOfSenderKey(handed.context);
  if (group === undefined) throw new CryptoError('cannot-decrypt');
  const { account, device } = from;
  const key: [string, string, string] = [group, account, device];
  const known = await draft.get('sender', key);
  const keys = await acceptSenderKey({ state: known?.keys, group, from, handed, now });
  if (keys !== known?.keys) draft.put('sender', { group, account, device, keys }, key);
  if (!known) await keepEarly(draft, from, group);
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
