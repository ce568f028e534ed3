import type { ConversationSummary } from '@sotto/engine/views';

/** Whether reactions can be sent there as things are: also by those for whom a group is to read. */
export const mayReact = ({ request, blocked, stopped, group }: ConversationSummary): boolean => {
  if (request || blocked || stopped) return false;
  return !group || (group.stopped === undefined && group.role !== undefined);
};

/** Whether anything can be sent there as things are. */
export const mayWrite = (summary: ConversationSummary): boolean => {
  const { group } = summary;
  const isAudience = group?.policy.adminsPost === true && group.role === 'member';
  return mayReact(summary) && !isAudience;
};
