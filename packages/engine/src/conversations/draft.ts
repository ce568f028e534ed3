import type { Content } from '@sotto/contract/content';
import type { Draft } from '../model.ts';
import type { ContactRow, ConversationRow, MessageRow } from '../rows.ts';

export const putContact = (draft: Draft, row: ContactRow): void => draft.put('contact', row, row.account);

export const putConversation = (draft: Draft, row: ConversationRow): void =>
  draft.put('conversation', row, row.id);

export const putMessage = (draft: Draft, row: MessageRow): void =>
  draft.put('message', row, [row.conversation, row.id]);

/** Puts something to send behind everything that already waits; `notBefore` is in ms since 1970. */
export const enqueue = (draft: Draft, conversation: string, content: Content, notBefore?: number): number => {
  const seq = draft.nextSeq();
  draft.put('outbox', { seq, conversation, content, ...(notBefore !== undefined && { notBefore }) }, seq);
  return seq;
};

/** The direct conversation with a contact, made when there is none: as a request where a stranger begins it. */
export const directConversation = async (
  draft: Draft,
  account: string,
  now: number,
  request = false,
): Promise<ConversationRow> => {
  const known = await draft.get('conversation', account);
  if (known) return known;
  const row: ConversationRow = {
    id: account,
    createdAt: now,
    unread: 0,
    floors: {},
    ...(request && { request }),
  };
  putConversation(draft, row);
  return row;
};

/** The direct conversation with somebody whom this account has taken up with, on whichever of its devices. */
export const agreedConversation = async (
  draft: Draft,
  account: string,
  now: number,
): Promise<ConversationRow> => {
  const known = await directConversation(draft, account, now);
  if (!known.request || known.group) return known;
  const { request: _, ...row } = known;
  putConversation(draft, row);
  return row;
};
