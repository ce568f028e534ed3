import type { Draft } from '../model.ts';
import type { Store } from '../ports.ts';
import type { ConversationRow, MessageRow } from '../rows.ts';

/** Unsent messages stand after every accept time (milliseconds since 1970), in the order in which they were written. */
export const UNSENT_ORDER = 2 ** 52;

/**
 * Where a message of `device`, accepted at `at`, stands: at that time, but after every earlier message of the same
 * device here. Every device that sees the same messages computes the same places.
 */
export const place = (
  conversation: ConversationRow,
  device: string,
  at: number,
): { order: number; floors: Record<string, number> } => {
  const order = Math.max(at, (conversation.floors[device] ?? 0) + 1);
  return { order, floors: { ...conversation.floors, [device]: order } };
};

const summary = ({ id, order, at, sentAt, text, status, from }: MessageRow, me: string) => ({
  id,
  order,
  time: at ?? sentAt,
  text,
  mine: from === me,
  status,
});

/** The conversation as the list shows it once `message` is there. */
export const withLast = (conversation: ConversationRow, message: MessageRow, me: string): ConversationRow => {
  const { last } = conversation;
  if (last && last.id !== message.id && last.order > message.order) return conversation;
  return { ...conversation, last: summary(message, me) };
};

/**
 * The conversation once `message` has left the end, where it stood unsent, for its place: what came in the meantime
 * may stand after it. `settled` is how many messages at most take their places in this draft.
 */
export const withSettledLast = async (
  draft: Draft,
  store: Store,
  conversation: ConversationRow,
  message: MessageRow,
  me: string,
  settled: number,
): Promise<ConversationRow> => {
  if (conversation.last?.id !== message.id) return conversation;
  const { id } = conversation;
  const stored = await store.messages(id, { limit: settled + 1 });
  const rows = await Promise.all(
    stored.map(async (row) => (await draft.get('message', [id, row.id])) ?? row),
  );
  const newest = rows.reduce((a, b) => (b.order > a.order ? b : a), message);
  return { ...conversation, last: summary(newest, me) };
};
