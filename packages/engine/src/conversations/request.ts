import { enqueueReceipts } from '../inbox/apply.ts';
import type { Draft } from '../model.ts';
import type { Store } from '../ports.ts';
import type { ConversationRow } from '../rows.ts';

/** How far back a stranger is told what became of their messages. */
const RECENT = 100;

/**
 * The conversation once its stranger gets an answer: from then on they hear what became of their messages, also of those
 * that are there.
 */
export const answered = async (
  draft: Draft,
  store: Store,
  conversation: ConversationRow,
): Promise<ConversationRow> => {
  if (!conversation.request) return conversation;
  const { request: _, ...row } = conversation;
  const theirs = (await store.messages(row.id, { limit: RECENT })).filter(
    ({ from, newer }) => from === row.id && !newer,
  );
  for (const status of ['delivered', 'read'] as const) {
    const ids = theirs.filter((message) => message.status === status).map(({ id }) => id);
    enqueueReceipts(draft, row.id, status, ids.toReversed());
  }
  return row;
};
