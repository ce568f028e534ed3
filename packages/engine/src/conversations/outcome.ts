import type { Draft } from '../model.ts';
import type { Store } from '../ports.ts';
import type { MessageRow, OutboxRow, SelfRow, SendProblem } from '../rows.ts';
import { textOf } from './change.ts';
import { putContact, putConversation, putMessage } from './draft.ts';
import { place, withSettledLast, withTimer } from './order.ts';
import { joinStatus } from './status.ts';

/** The message that an outbox row brings or changes. */
const subject = (row: OutboxRow): string | undefined =>
  row.content.kind === 'delete' ? row.content.messages[0]!.id : textOf(row);

/**
 * The relay has taken what `row` holds, at `at`: a text leaves the end of its conversation for its place, and its timer
 * starts. `settled` is how many rows at most are settled in this draft.
 */
export const messageSent = async (
  draft: Draft,
  store: Store,
  self: SelfRow,
  row: OutboxRow,
  { at, now }: { at: number; now: number },
  settled: number,
): Promise<void> => {
  if (row.content.kind !== 'text') return;
  const { account, device } = self;
  const message = await draft.get('message', [row.conversation, row.content.id]);
  const conversation = await draft.get('conversation', row.conversation);
  // Sent again for who lost it: it has its place.
  if (!message || !conversation || message.from !== account || message.at !== undefined) return;
  const { order, floors } = place(conversation, device, at);
  const { problem: _, ...rest } = message;
  const sent: MessageRow = {
    ...rest,
    at,
    order,
    status: joinStatus(message.status, 'sent'),
    ...(message.timer !== undefined && { expiresAt: now + message.timer * 1000 }),
  };
  putMessage(draft, sent);
  const next = await withSettledLast(draft, store, { ...conversation, floors }, sent, account, settled);
  const newest = next.last && (await draft.get('message', [next.id, next.last.id]));
  putConversation(draft, newest ? withTimer(next, newest) : next);
};

/** What `row` holds cannot be sent, for the reason named. A message that fails stands at `order`. */
export const messageFailed = async (
  draft: Draft,
  store: Store,
  self: SelfRow,
  row: OutboxRow,
  problem: SendProblem,
  { order, settled }: { order: number; settled: number },
): Promise<void> => {
  if (row.content.kind === 'profile') {
    const contact = await draft.get('contact', row.conversation);
    // They have not heard one's name: the next message brings it.
    if (contact) putContact(draft, { ...contact, introduced: false });
  }
  const id = subject(row);
  const message = id === undefined ? undefined : await draft.get('message', [row.conversation, id]);
  const conversation = await draft.get('conversation', row.conversation);
  if (!message || !conversation) return;
  if (row.content.kind !== 'text') {
    // It was sent; what became of it since was not.
    if (message.status !== 'failed') putMessage(draft, { ...message, problem });
    return;
  }
  if (message.status !== 'waiting') return;
  const failed: MessageRow = { ...message, order, status: 'failed', problem };
  putMessage(draft, failed);
  putConversation(draft, await withSettledLast(draft, store, conversation, failed, self.account, settled));
};
