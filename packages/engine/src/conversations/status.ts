import type { Marks, MessageStatus, Reach } from '../rows.ts';

const RANK: Record<MessageStatus, number> = { failed: 0, waiting: 0, sent: 1, delivered: 2, read: 3 };

/** The further of two: receipts may come in any order, a late "delivered" never undoes a "read". */
export const joinStatus = (a: MessageStatus, b: MessageStatus): MessageStatus => (RANK[b] > RANK[a] ? b : a);

/**
 * How far a message came with everybody it was for: with one of them, as far as with the device that has come furthest;
 * with all, as far as with who has come least far. Undefined while there is somebody of whom nothing is known.
 */
export const leastReach = (reached: Marks['reached'], members: readonly string[]): Reach | undefined => {
  const all = members.map((member) => {
    const devices = Object.values(reached?.[member] ?? {});
    return devices.includes('read') ? 'read' : devices[0];
  });
  return all.includes(undefined) || all.length === 0
    ? undefined
    : all.includes('delivered')
      ? 'delivered'
      : 'read';
};
