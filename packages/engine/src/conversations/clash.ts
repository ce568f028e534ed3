import { toBase64url, utf8 } from '@sotto/crypto/bytes';
import { sha256 } from '@sotto/crypto/keys';
import type { Draft } from '../model.ts';
import type { MessageRow } from '../rows.ts';
import { putConversation, putMessage } from './draft.ts';

/** Where a message of `author` stands whose id somebody else's has. */
const aliasOf = async (author: string, id: string): Promise<string> =>
  toBase64url((await sha256(utf8(`${author} ${id}`))).slice(0, 16));

/** A message of an author, under whichever id it stands; that of somebody else where there is none. */
export const messageBy = async (
  draft: Draft,
  conversation: string,
  { author, id }: { author: string; id: string },
): Promise<MessageRow | undefined> => {
  const row = await draft.get('message', [conversation, id]);
  if (!row || row.from === author) return row;
  return (await draft.get('message', [conversation, await aliasOf(author, id)])) ?? row;
};

/** Puts a message under another id. */
const move = async (draft: Draft, row: MessageRow, id: string): Promise<void> => {
  const { doc, ...rest } = row;
  if (doc !== undefined) draft.put('dropped', { doc }, doc);
  putMessage(draft, { ...rest, id, unindexed: 1 });
  const conversation = await draft.get('conversation', row.conversation);
  if (conversation?.last?.id === row.id)
    putConversation(draft, { ...conversation, last: { ...conversation.last, id } });
};

/**
 * The id under which a message that came is stored: its own, but for one whose id a message of another author has. One's own
 * messages always keep theirs. Undefined when it has been here, whatever became of it.
 */
export const freeId = async (
  draft: Draft,
  { conversation, from: { account }, me }: { conversation: string; from: { account: string }; me: string },
  id: string,
): Promise<string | undefined> => {
  if (await draft.get('gone', [conversation, id])) return undefined;
  const there = await draft.get('message', [conversation, id]);
  if (!there) return id;
  if (there.from === account) {
    if (there.shared === undefined) return undefined;
    // What somebody said that they wrote gives way to what they did write.
    if (there.doc !== undefined) draft.put('dropped', { doc: there.doc }, there.doc);
    return id;
  }
  if (account === me) {
    await move(draft, there, await aliasOf(there.from, id));
    return id;
  }
  const alias = await aliasOf(account, id);
  const known =
    (await draft.get('message', [conversation, alias])) ?? (await draft.get('gone', [conversation, alias]));
  return known ? undefined : alias;
};
