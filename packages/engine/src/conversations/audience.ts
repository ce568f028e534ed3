import type { Audience } from '@sotto/contract/content';
import type { ReadModel } from '../model.ts';
import type { ConversationRow, SelfRow } from '../rows.ts';

/** Whether the person has taken up with somebody: strangers and who is blocked learn nothing and say nothing. */
export const talksTo = (
  { conversations }: Pick<ReadModel, 'conversations'>,
  self: SelfRow,
  account: string,
): boolean =>
  account !== self.account && isAmong('contacts', self, { account, direct: conversations.get(account) });

/** Whether somebody, with whom there is this direct conversation or none, may learn what is for `audience`. */
export const isAmong = (
  audience: Audience,
  self: SelfRow,
  { account, direct }: { account: string; direct: ConversationRow | undefined },
): boolean => {
  if (audience === 'nobody' || direct?.request || self.blocked?.includes(account)) return false;
  return audience === 'everyone' || direct !== undefined;
};
