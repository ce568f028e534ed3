import { createSenderKey } from '@sotto/crypto/sender-key';
import { hasOthers } from '../devices/sync.ts';
import type { Draft } from '../model.ts';
import type { GroupRow, SelfRow } from '../rows.ts';
import { handSender } from './hand-over.ts';

/** A new sender key, on its way to every device that is to read with it. */
export const renewSender = async (
  draft: Draft,
  self: SelfRow,
  row: GroupRow,
  now: number,
): Promise<{ row: GroupRow; handed: boolean }> => {
  const { account, device } = self;
  const state = row.state!;
  const own = await createSenderKey({ state, owner: { account, device }, now });
  const to = state.members.filter((member) => member.account !== account || hasOthers(self));
  // Nobody waits for the one before any more: they are handed this one.
  const { handing: _, ...rest } = row;
  const next = await handSender(draft, { ...rest, own }, to, now);
  return { row: next, handed: to.length > 0 };
};
