import type { ReceiptContent } from '@sotto/contract/content';
import { LIMITS } from '@sotto/contract/limits';
import { enqueue } from '../conversations/draft.ts';
import { receiptsOf } from '../conversations/receipts.ts';
import type { Draft, Model } from '../model.ts';
import type { OutboxRow } from '../rows.ts';

type OpenRow = OutboxRow & { content: ReceiptContent };

/** A receipt that has room for more messages, and with which nothing has been done yet. */
export const isOpen = (row: OutboxRow): row is OpenRow => {
  const { seq: _seq, conversation: _to, content, ...done } = row;
  return (
    content.kind === 'receipt' &&
    content.status === 'delivered' &&
    content.group === undefined &&
    content.messages.length < LIMITS.receiptMessages &&
    Object.keys(done).length === 0
  );
};

/** Tells the author of messages that they arrived: first in the receipt that waits for more. */
export const enqueueDelivered = async (
  draft: Draft,
  model: Model,
  account: string,
  messages: readonly string[],
): Promise<void> => {
  const waiting = [...model.outbox.values()].find((row) => row.conversation === account && isOpen(row));
  const row = waiting && (await draft.get('outbox', waiting.seq));
  const before = row && isOpen(row) ? row.content.messages : [];
  const [first, ...rest] = receiptsOf('delivered', [...before, ...messages]);
  if (row && first) draft.put('outbox', { ...row, content: first }, row.seq);
  else if (first) enqueue(draft, account, first);
  for (const receipt of rest) enqueue(draft, account, receipt);
};
