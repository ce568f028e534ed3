import type { ReceiptContent } from '@sotto/contract/content';
import { LIMITS } from '@sotto/contract/limits';

/** What says of `messages` how far they came; in as many receipts as the limit asks for. */
export const receiptsOf = (
  status: ReceiptContent['status'],
  messages: readonly string[],
): ReceiptContent[] => {
  const receipts: ReceiptContent[] = [];
  for (let start = 0; start < messages.length; start += LIMITS.receiptMessages) {
    const part = messages.slice(start, start + LIMITS.receiptMessages) as ReceiptContent['messages'];
    receipts.push({ kind: 'receipt', status, messages: part });
  }
  return receipts;
};
