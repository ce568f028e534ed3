import { createSenderKey } from '@sotto/crypto/sender-key';
import { hasOthers } from '../devices/sync.ts';
import type { Draft } from '../model.ts';
import type { GroupRow, SelfRow } from '../rows.ts';
import { handSender } from './hand-over.ts';
import { putSending } from './sending.ts';

/** A new sender key, on its way to every device that is to read with it; whether there is any. */
export const renewSender = async (
  draft: Draft,
  self: SelfRow,
  row: GroupRow,
  now: number,
): Promise<boolean> => {
  const { account, device } = self;
  const state = row.state!;
  const own = await createSenderKey({ state, owner: { account, device }, now });
  const to = state.members.filter((member) => member.account !== account || hasOthers(self));
  // Nobody waits for the one before any more: they are handed this one.
  putSending(draft, row.group, self, { own });
  await handSender(draft, row, to, { self, now });
  return to.length > 0;
};
