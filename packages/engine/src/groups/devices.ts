import type { Address } from '@sotto/crypto/address';
import { roleOf } from '@sotto/crypto/membership-state';
import { retireSenderKey } from '@sotto/crypto/sender-key';
import type { Draft, Model } from '../model.ts';
import type { AccountKeys, GroupRow } from '../rows.ts';
import { putGroup } from './group-rows.ts';
import { handEarlier, handKeys, handSender } from './hand-over.ts';
import { putSending, sendingOf } from './sending.ts';

type Listing = Pick<Model, 'conversations'>;

/** The groups that an account is in together with this one. */
const groupsWith = async (draft: Draft, { conversations }: Listing, account: string): Promise<GroupRow[]> => {
  const rows: GroupRow[] = [];
  for (const { id, group } of conversations.values()) {
    const row = group?.role && (await draft.get('group', id));
    if (row?.state && !row.stopped && roleOf(row.state, account)) rows.push(row);
  }
  return rows;
};

/** Hands a device what its account's groups need: it may lack any of it. */
export const handAll = async (draft: Draft, model: Listing, to: Address, now: number): Promise<void> => {
  const self = (await draft.get('self', 'self'))!;
  for (const row of await groupsWith(draft, model, to.account)) {
    handKeys(draft, row, [to]);
    handEarlier(draft, row, [to]);
    await handSender(draft, row, [to], { self, now });
  }
};

/**
 * What other devices of an account mean for its groups: who is new is to read with this device's sender keys, and those that
 * a revoked one holds are not used any more. Where it was one of this account's own (`isOwn`), the channel key goes as well.
 */
export const followDevices = async (
  draft: Draft,
  model: Listing,
  account: string,
  { before, after, isOwn, now }: { before: AccountKeys; after: AccountKeys; isOwn: boolean; now: number },
): Promise<void> => {
  const isRevoked = (after.revoked ?? []).some((device) => !before.revoked?.includes(device));
  const known = new Set(before.devices.map(({ device }) => device));
  const added = after.devices.filter(({ device }) => known.size > 0 && !known.has(device));
  if (!isRevoked && added.length === 0) return;
  const self = (await draft.get('self', 'self'))!;
  for (const row of await groupsWith(draft, model, account)) {
    const sending = isRevoked ? await sendingOf(draft, row.group, self) : undefined;
    if (sending) putSending(draft, row.group, self, { ...sending, own: retireSenderKey(sending.own) });
    if (isRevoked && isOwn) putGroup(draft, { ...row, overdue: row.state!.channel });
    const to = added.map(({ device }) => ({ account, device }));
    // Other devices of one's own have the group's keys from the one that added them.
    if (isOwn) handKeys(draft, row, to);
    await handSender(draft, row, to, { self, now });
  }
};
