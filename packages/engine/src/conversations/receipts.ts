import type { ReceiptContent } from '@sotto/contract/content';
import { LIMITS } from '@sotto/contract/limits';

/** What says of `messages` how far they came; in as many receipts as the limit asks for. */
export const receiptsOf = (
  status: ReceiptContent['status'],
  messages: readonly string[],
  group?: string,
): ReceiptContent[] => {
  const where = group !== undefined && { group: group as NonNullable<ReceiptContent['group']> };
  const receipts: ReceiptContent[] = [];
  for (let start = 0; start < messages.length; start += LIMITS.receiptMessages) {
    const part = messages.slice(start, start + LIMITS.receiptMessages) as ReceiptContent['messages'];
    receipts.push({ kind: 'receipt', status, messages: part, ...where });
  }
  return receipts;
};
