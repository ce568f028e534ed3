import type { ConversationSummary } from '@sotto/engine/views';

/** Whether anything can be sent there as things are. */
export const mayWrite = ({ request, blocked, stopped, group }: ConversationSummary): boolean => {
  if (request || blocked || stopped) return false;
  if (!group) return true;
  const silent = group.policy.adminsPost && group.role === 'member';
  return group.stopped === undefined && group.role !== undefined && !silent;
};
