import { LIMITS } from '@sotto/contract/limits';
import { KIND_GROUP_SIGNAL, openPost, sealPost } from '@sotto/crypto/channel-seal';
import { checkGroupSignal, makeGroupSignal, readGroupSignal } from '@sotto/crypto/group-signal';
import { roleOf } from '@sotto/crypto/membership-state';
import type { Model } from '../model.ts';
import type { GroupRow, SelfRow } from '../rows.ts';
import { keysInForce } from './group-rows.ts';
import { sendingOf } from './sending.ts';

/** A group that one is in by one's own will and that goes on. */
const activeRow = ({ groups, conversations }: Model, group: string): GroupRow | undefined => {
  const conversation = conversations.get(group);
  if (!conversation?.group?.role || conversation.request) return undefined;
  const row = groups.get(group);
  return row?.stopped ? undefined : row;
};

/**
 * That somebody writes, for who is there: undefined where not everybody may hear it, as one post is for all, or nobody has the
 * key yet that proves it, which goes out with the first message of a device.
 */
export const groupSignal = async (
  model: Model,
  group: string,
  mayHear: (account: string) => boolean,
  { typing, now }: { typing: boolean; now: number },
): Promise<Uint8Array<ArrayBuffer> | undefined> => {
  const row = activeRow(model, group);
  if (!row?.state || row.state.members.length > LIMITS.receiptMembers) return undefined;
  const others = row.state.members.filter(({ account }) => account !== model.self?.account);
  if (!others.every(({ account }) => mayHear(account))) return undefined;
  const sending = model.self && (await sendingOf(model.store, group, model.self));
  const keys = keysInForce(row);
  if (!keys || !sending) return undefined;
  const body = await makeGroupSignal(sending.own, { typing, now });
  return sealPost({ keys, state: row.state, kind: KIND_GROUP_SIGNAL, body });
};

/** When each device was last heard, by group and device: what is not newer is a replay. */
export type Heard = Map<string, number>;

/** Who writes there, or has stopped. Undefined for what says nothing to go by. @throws CryptoError */
export const openGroupSignal = async (
  model: Model,
  self: SelfRow,
  { group, body, heard, now }: { group: string; body: Uint8Array<ArrayBuffer>; heard: Heard; now: number },
): Promise<{ account: string; typing: boolean } | undefined> => {
  const row = activeRow(model, group);
  if (!row?.state) return undefined;
  const { kind, body: inner } = await openPost(row.channels, body);
  if (kind !== KIND_GROUP_SIGNAL) return undefined;
  const signal = readGroupSignal(inner);
  const { account, device } = signal.from;
  const isRevoked = model.contacts.get(account)?.revoked?.includes(device) ?? false;
  const isHeeded =
    account !== self.account && roleOf(row.state, account) && !isRevoked && !self.blocked?.includes(account);
  const known = isHeeded && (await model.store.get('sender', [group, account, device]));
  if (!known || !known.keys || !(await checkGroupSignal(signal, { keys: known.keys, now }))) return undefined;
  const name = `${group} ${device}`;
  if ((heard.get(name) ?? 0) >= signal.sentAt) return undefined;
  heard.set(name, signal.sentAt);
  return { account, typing: signal.typing };
};
