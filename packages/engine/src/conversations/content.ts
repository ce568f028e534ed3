import type { DeleteContent, EditContent, TextContent } from '@sotto/contract/content';
import type { MessageRow } from '../rows.ts';
import { versionsOf } from './marks.ts';

/** What says all of a message of one's own: its first text, then its last; of a deleted one, that it is. */
export const contentsOf = (row: MessageRow): (TextContent | EditContent | DeleteContent)[] => {
  const { id, from, sentAt, reply, forwarded, timer, deleted } = row;
  const ref = { author: from, id } as DeleteContent['messages'][number];
  if (deleted) return [{ kind: 'delete', messages: [ref], sentAt: deleted.sentAt }];
  const [first, ...later] = versionsOf(row);
  const last = later.at(-1);
  const mentioning = (mentions: MessageRow['mentions']) => mentions && { mentions };
  const text: TextContent = {
    kind: 'text',
    id: ref.id,
    sentAt,
    text: first!.text,
    ...mentioning(first!.mentions),
    ...(reply && { reply: reply as NonNullable<TextContent['reply']> }),
    ...(forwarded && { forwarded }),
    ...(timer !== undefined && { timer }),
  };
  if (!last) return [text];
  const edit: EditContent = {
    kind: 'edit',
    message: ref.id,
    sentAt: last.sentAt,
    text: last.text,
    ...mentioning(last.mentions),
  };
  return [text, edit];
};
