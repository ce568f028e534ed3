import { LIMITS } from '@sotto/contract/limits';
import type { Draft } from '../model.ts';
import type { Store } from '../ports.ts';
import type { ConversationRow, MessageRow } from '../rows.ts';

/** Unsent messages stand after every accept time (milliseconds since 1970), in the order in which they were written. */
export const UNSENT_ORDER = LIMITS.lastPlace;

const YEAR = 365 * 24 * 60 * 60 * 1000;

/** An accept time or a place as it is taken: nothing that a relay says moves a conversation years ahead. */
export const timely = (at: number, now: number): number => Math.min(at, now + YEAR);

const DAY = 24 * 60 * 60 * 1000;
/** Of a sender's own messages, that one which was overtaken is looked for among. */
const LOOKED_AT = 500;

/** The conversation knowing of a message that its device says it wrote at `sentAt`; no clock is taken to be further ahead. */
export const withSent = (
  { sent }: ConversationRow,
  device: string,
  { sentAt, at }: { sentAt: number; at: number },
): Record<string, number> => ({
  ...sent,
  [device]: Math.max(sent?.[device] ?? 0, Math.min(sentAt, at + DAY)),
});

/**
 * Where a message stands that others of its device overtook, which wrote it before them: in front of the first of those. None when
 * it was not overtaken, or by what is too long ago.
 */
export const placeOfLate = async (
  draft: Draft,
  conversation: ConversationRow,
  { from, device, sentAt }: Pick<MessageRow, 'from' | 'device' | 'sentAt'>,
): Promise<number | undefined> => {
  if (sentAt >= (conversation.sent?.[device] ?? 0)) return undefined;
  const rows = (await draft.messagesOf(conversation.id, from, LOOKED_AT)).filter(
    (row) => row.device === device && !row.newer && row.order < UNSENT_ORDER,
  );
  const next = Math.min(...rows.filter((row) => row.sentAt > sentAt).map(({ order }) => order));
  if (next === Number.POSITIVE_INFINITY) return undefined;
  const before = Math.max(next - 1, ...rows.map(({ order }) => order).filter((order) => order < next));
  return (before + next) / 2;
};

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

const summary = (
  { group }: ConversationRow,
  row: MessageRow,
  me: string,
): NonNullable<ConversationRow['last']> => {
  const { id, order, at, sentAt, text, status, from, deleted, expiresAt, note } = row;
  return {
    id,
    order,
    time: at ?? sentAt,
    text,
    mine: from === me,
    status,
    ...(deleted && { deleted: true }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(group && { from }),
    ...(note && { note }),
  };
};

/** The conversation as the list shows it once `message` is there. */
export const withLast = (conversation: ConversationRow, message: MessageRow, me: string): ConversationRow => {
  const { last } = conversation;
  if (last && last.id !== message.id && last.order > message.order) return conversation;
  return { ...conversation, last: summary(conversation, message, me) };
};

/** The conversation with the timer of a message, if that is its newest and nothing was chosen here since. */
export const withTimer = (conversation: ConversationRow, message: MessageRow): ConversationRow => {
  const { timer: _, ...rest } = conversation;
  const known = conversation.timerChosen || conversation.last?.id !== message.id || message.newer;
  if (known) return conversation;
  return { ...rest, ...(message.timer !== undefined && { timer: message.timer }) };
};

/** The conversation with what stands at its end now; up to `moved` messages take other places, or go, in this draft. */
export const withNewest = async (
  draft: Draft,
  store: Store,
  conversation: ConversationRow,
  me: string,
  moved: number,
): Promise<ConversationRow> => {
  const { id } = conversation;
  const stored = await store.messages({ conversation: id }, { limit: moved + 1 });
  const rows: MessageRow[] = [];
  for (const row of stored) {
    const now = await draft.get('message', [id, row.id]);
    if (now) rows.push(now);
  }
  const { last: _, ...rest } = conversation;
  if (rows.length === 0) return rest;
  return {
    ...rest,
    last: summary(
      conversation,
      rows.reduce((a, b) => (b.order > a.order ? b : a)),
      me,
    ),
  };
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
): Promise<ConversationRow> =>
  conversation.last?.id === message.id ? withNewest(draft, store, conversation, me, settled) : conversation;
