import type { Draft, Model } from '../model.ts';
import type { ConversationRow, Marks, MessageRow, OutboxRow } from '../rows.ts';
import { putConversation, putMessage } from './draft.ts';
import { withMarks } from './marks.ts';
import { withLast, withNewest } from './order.ts';
import { messageBy } from './clash.ts';
import { keepPending } from './pending.ts';
import { joinStatus, leastReach } from './status.ts';

export const mentions = (row: Pick<MessageRow, 'mentions'>, account: string): boolean =>
  row.mentions?.some((mention) => mention.account === account) ?? false;

/** Whether a message counts as unread, and as one that names `me`. */
const counts = (row: MessageRow | undefined, me: string): [unread: number, mentioned: number] =>
  row?.unread ? [1, Number(mentions(row, me))] : [0, 0];

/** The conversation with its counts once `before` has become `after`. */
export const recount = (
  conversation: ConversationRow,
  before: MessageRow | undefined,
  after: MessageRow | undefined,
  me: string,
): ConversationRow => {
  const [was, is] = [counts(before, me), counts(after, me)];
  if (was[0] === is[0] && was[1] === is[1]) return conversation;
  const { mentioned: known = 0, ...rest } = conversation;
  const unread = Math.max(0, conversation.unread + is[0] - was[0]);
  const mentioned = Math.max(0, known + is[1] - was[1]);
  return { ...rest, unread, ...(mentioned > 0 && { mentioned }) };
};

/** Stores a message that is there already in another form, and what the list shows of it. */
export const changeMessage = (
  draft: Draft,
  conversation: ConversationRow,
  before: MessageRow,
  after: MessageRow,
  me: string,
): ConversationRow => {
  putMessage(draft, after);
  const counted = recount(conversation, before, after, me);
  const next = counted.last?.id === after.id ? withLast(counted, after, me) : counted;
  if (next !== conversation) putConversation(draft, next);
  return next;
};

/** The members that a message of one's own has to come to: in a group, those that it was for and that are in it still. */
const recipientsOf = ({ to = [] }: MessageRow, { id, group }: ConversationRow): string[] =>
  group ? to.filter((account) => group.others?.includes(account)) : [id];

/** A message after marks were put on it: what follows from them. */
export const settleMarks = (
  row: MessageRow,
  conversation: ConversationRow,
  { me, now }: { me: string; now: number },
): MessageRow => {
  if (row.from === me) {
    const reach = leastReach(row.reached, recipientsOf(row, conversation));
    return reach && row.status !== 'failed' ? { ...row, status: joinStatus(row.status, reach) } : row;
  }
  if (!row.deleted) return row;
  // There is nothing to be read any more.
  const { unread: _, ...rest } = row;
  const due = row.timer !== undefined && row.expiresAt === undefined;
  return { ...rest, ...(due && { expiresAt: now + row.timer! * 1000 }) };
};

/**
 * Puts marks on a message, or keeps them until it comes. Who may make them is the caller's to know. Nothing happens when
 * they say nothing new, are on a message of another author, or on one that is gone.
 */
export const mark = async (
  draft: Draft,
  conversation: ConversationRow,
  ref: { author: string; id: string },
  marks: Marks,
  at: { me: string; now: number },
): Promise<void> => {
  const row = await messageBy(draft, conversation.id, ref);
  if (!row) {
    // Of strangers only texts are kept.
    if (conversation.request || (await draft.get('gone', [conversation.id, ref.id]))) return;
    return keepPending(draft, conversation, ref, marks, at.now);
  }
  if (row.from !== ref.author || (marks.reached && row.status === 'failed')) return;
  const marked = withMarks(row, marks);
  if (marked !== row) changeMessage(draft, conversation, row, settleMarks(marked, conversation, at), at.me);
};

/** The message whose text is in an outbox row. */
export const textOf = ({ content }: OutboxRow): string | undefined => {
  if (content.kind === 'text') return content.id;
  return content.kind === 'edit' ? content.message : undefined;
};

/** Whether nothing of a message of one's own has left, nor any bytes of it that may. */
export const isUnsent = (model: Model, { conversation, id, at }: MessageRow): boolean =>
  at === undefined &&
  ![...model.outbox.values()].some(
    (row) =>
      row.conversation === conversation &&
      row.content.kind === 'text' &&
      row.content.id === id &&
      (row.envelopes !== undefined || row.post !== undefined),
  );

/**
 * Takes messages off this device for good, with whatever is kept of them: the list's last line, and of those that have not
 * left what waits to. What others may have is still said of the rest. A late copy does not bring them back.
 */
export const removeMessages = async (
  draft: Draft,
  model: Model,
  id: string,
  rows: readonly MessageRow[],
  { me, now }: { me: string; now: number },
): Promise<void> => {
  let conversation = await draft.get('conversation', id);
  const removed = new Set(rows.map((row) => row.id));
  const unsent = new Set(rows.filter((row) => isUnsent(model, row)).map((row) => row.id));
  for (const row of rows) {
    draft.remove('message', [id, row.id]);
    if (row.doc !== undefined) draft.put('dropped', { doc: row.doc }, row.doc);
    draft.put('gone', { conversation: id, id: row.id, at: now }, [id, row.id]);
    if (conversation) conversation = recount(conversation, row, undefined, me);
  }
  for (const row of model.outbox.values()) {
    const about = textOf(row);
    if (row.conversation === id && !row.envelopes && !row.post && about !== undefined && unsent.has(about)) {
      draft.remove('outbox', row.seq);
    }
  }
  if (!conversation) return;
  if (conversation.last && removed.has(conversation.last.id)) {
    conversation = await withNewest(draft, model.store, conversation, me, rows.length);
  }
  putConversation(draft, conversation);
};
