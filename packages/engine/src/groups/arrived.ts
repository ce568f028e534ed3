import { LIMITS } from '@sotto/contract/limits';
import { enqueueReceipts } from '../inbox/apply.ts';
import type { Draft } from '../model.ts';

/** A message of a group that was taken in, and whose author may hear of it. */
export interface Arrived {
  group: string;
  author: string;
  id: string;
}

/** Tells the authors, each in a receipt of their own, in groups that are small enough. */
export const tellArrived = async (draft: Draft, arrived: readonly Arrived[], me: string): Promise<void> => {
  const byAuthor = new Map<string, { group: string; author: string; ids: string[] }>();
  for (const { group, author, id } of arrived) {
    if (author === me) continue;
    const conversation = await draft.get('conversation', group);
    if ((conversation?.group?.members ?? Infinity) > LIMITS.receiptMembers || conversation?.request) continue;
    const entry = byAuthor.get(`${group} ${author}`) ?? { group, author, ids: [] };
    entry.ids.push(id);
    byAuthor.set(`${group} ${author}`, entry);
  }
  for (const { group, author, ids } of byAuthor.values()) {
    enqueueReceipts(draft, author, 'delivered', ids, group);
  }
};
