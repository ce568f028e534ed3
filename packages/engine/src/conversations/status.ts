import type { MessageStatus } from '../rows.ts';

const RANK: Record<MessageStatus, number> = { failed: 0, waiting: 0, sent: 1, delivered: 2, read: 3 };

/** The further of two: receipts may come in any order, a late "delivered" never undoes a "read". */
export const joinStatus = (a: MessageStatus, b: MessageStatus): MessageStatus => (RANK[b] > RANK[a] ? b : a);
