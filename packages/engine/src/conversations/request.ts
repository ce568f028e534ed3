import { shareContact } from '../devices/hand-over.ts';
import { EngineError } from '../errors.ts';
import { enqueue } from './draft.ts';
import { receiptsOf } from './receipts.ts';
import { settingsOf } from './settings.ts';
import type { Draft } from '../model.ts';
import type { Store } from '../ports.ts';
import type { ConversationRow, SelfRow } from '../rows.ts';

/** How far back a stranger is told what became of their messages. */
const RECENT = 100;

/**
 * The conversation once its stranger gets an answer: from then on they hear what became of their messages, also of those
 * that are there, and one's own other devices that it is no request.
 */
export const answered = async (
  draft: Draft,
  store: Store,
  self: SelfRow,
  conversation: ConversationRow,
): Promise<ConversationRow> => {
  if (!conversation.request) return conversation;
  // Others put this account there: only the relay can be told that it agrees.
  if (conversation.group) throw new EngineError('not-joined');
  const { request: _, ...row } = conversation;
  const contact = await draft.get('contact', row.id);
  if (contact) shareContact(draft, self, contact);
  const theirs = (await store.messages({ conversation: row.id, from: row.id }, { limit: RECENT })).filter(
    ({ newer }) => !newer,
  );
  const tellsRead = settingsOf(self).receipts !== 'nobody';
  const read = theirs.filter(({ status }) => tellsRead && status === 'read').map(({ id }) => id);
  const delivered = theirs.map(({ id }) => id).filter((id) => !read.includes(id));
  for (const receipt of receiptsOf('delivered', delivered.toReversed())) enqueue(draft, row.id, receipt);
  for (const receipt of receiptsOf('read', read.toReversed())) enqueue(draft, row.id, receipt);
  return row;
};
