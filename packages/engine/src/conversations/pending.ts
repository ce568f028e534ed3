import type { Draft, Model } from '../model.ts';
import type { ConversationRow, Marks } from '../rows.ts';
import { putConversation } from './draft.ts';
import { mergeMarks } from './marks.ts';

/** Messages of one conversation that something may be pending for; for one more, the oldest is given up. */
const MOST = 100;
/** How long it is kept, in ms: longer than the relay keeps a message, and knows that it was acknowledged. */
const KEPT_MS = 45 * 24 * 60 * 60 * 1000;
/** In one transaction. */
const BATCH = 500;

interface Ref {
  author: string;
  id: string;
}

const drop = (draft: Draft, conversation: string, entry: string): void => {
  const [author, id] = entry.split(' ') as [string, string];
  draft.remove('pending', [conversation, author, id]);
};

const without = (conversation: ConversationRow, entry: string): ConversationRow => {
  const { pending = [], ...rest } = conversation;
  const left = pending.filter((other) => other !== entry);
  return left.length > 0 ? { ...rest, pending: left } : rest;
};

/** Keeps `marks` until their message comes. */
export const keepPending = async (
  draft: Draft,
  conversation: ConversationRow,
  { author, id }: Ref,
  marks: Marks,
  now: number,
): Promise<void> => {
  const key: [string, string, string] = [conversation.id, author, id];
  const known = await draft.get('pending', key);
  const row = { conversation: conversation.id, author, id, at: known?.at ?? now };
  draft.put('pending', { ...row, marks: mergeMarks(known?.marks ?? {}, marks) }, key);
  if (known) return;
  const entries = [...(conversation.pending ?? []), `${author} ${id}`];
  for (const entry of entries.splice(0, entries.length - MOST)) drop(draft, conversation.id, entry);
  putConversation(draft, { ...conversation, pending: entries });
};

/** What was said of a message that comes now, and the conversation without it. */
export const takePending = async (
  draft: Draft,
  conversation: ConversationRow,
  { author, id }: Ref,
): Promise<{ conversation: ConversationRow; marks: Marks }> => {
  const row = await draft.get('pending', [conversation.id, author, id]);
  if (!row) return { conversation, marks: {} };
  drop(draft, conversation.id, `${author} ${id}`);
  return { conversation: without(conversation, `${author} ${id}`), marks: row.marks };
};

/**
 * Drops what has waited too long, and the names of messages that went too long ago for a copy of them to come.
 *
 * @throws StoreError
 */
export const prunePending = async (model: Model, now: number): Promise<void> => {
  for (;;) {
    const gone = await model.store.older('gone', now - KEPT_MS, BATCH);
    const old = await model.store.older('pending', now - KEPT_MS, BATCH);
    if (gone.length + old.length === 0) return;
    await model.change(async (draft) => {
      for (const key of gone) draft.remove('gone', key);
      for (const key of old) {
        const [id, author, message] = key;
        draft.remove('pending', key);
        const conversation = await draft.get('conversation', id);
        if (conversation) putConversation(draft, without(conversation, `${author} ${message}`));
      }
    });
  }
};
