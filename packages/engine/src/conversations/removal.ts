import type { RemoveContent } from '@sotto/contract/content';
import { LIMITS } from '@sotto/contract/limits';
import { hasOthers } from '../devices/sync.ts';
import type { Draft, Model } from '../model.ts';
import type { MessageRow, SelfRow } from '../rows.ts';
import { removeMessages } from './change.ts';
import { enqueue } from './draft.ts';

/** Tells one's own other devices what was taken off this one. */
export const tellRemoval = (draft: Draft, self: SelfRow, id: string, rows: readonly MessageRow[]): void => {
  if (!hasOthers(self)) return;
  const messages = rows.map((row) => row.id);
  for (let start = 0; start < messages.length; start += LIMITS.receiptMessages) {
    const part = messages.slice(start, start + LIMITS.receiptMessages);
    enqueue(draft, self.account, { kind: 'remove', conversation: id, messages: part } as RemoveContent);
  }
};

/** What was taken off another device of this account; what has not come yet does not come any more. */
export const takeRemoval = async (
  draft: Draft,
  model: Model,
  { conversation, messages }: RemoveContent,
  at: { me: string; now: number },
): Promise<void> => {
  const rows: MessageRow[] = [];
  for (const id of new Set<string>(messages)) {
    const row = await draft.get('message', [conversation, id]);
    if (row) rows.push(row);
    else if (!(await draft.get('gone', [conversation, id])))
      draft.put('gone', { conversation, id, at: at.now }, [conversation, id]);
  }
  if (rows.length > 0) await removeMessages(draft, model, conversation, rows, at);
};
