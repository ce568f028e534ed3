import type { Content, ReceiptContent, TextContent } from '@sotto/contract/content';
import { LIMITS } from '@sotto/contract/limits';
import {
  directConversation,
  enqueue,
  putContact,
  putConversation,
  putMessage,
} from '../conversations/draft.ts';
import { place, withLast } from '../conversations/order.ts';
import { joinStatus } from '../conversations/status.ts';
import { cleanName } from '../clean-text.ts';
import type { Draft } from '../model.ts';
import type { ContactRow } from '../rows.ts';

interface Arrival {
  from: { account: string; device: string };
  /** The relay's accept time in ms. */
  at: number;
  now: number;
  me: string;
  /** Nothing vouched for the sender. */
  request: boolean;
}

/** Takes a text in; true when it is new and its author is to hear that it arrived. */
const applyText = async (draft: Draft, content: TextContent, arrival: Arrival): Promise<boolean> => {
  const { from, at, now, me, request } = arrival;
  // The same message under another envelope was shown already.
  if (await draft.get('message', [from.account, content.id])) return false;
  const conversation = await directConversation(draft, from.account, now, request);
  const { order, floors } = place(conversation, from.device, at);
  const { id, sentAt, text } = content;
  const row = {
    conversation: conversation.id,
    id,
    order,
    from: from.account,
    sentAt,
    at,
    text,
    status: 'delivered' as const,
  };
  putMessage(draft, row);
  putConversation(draft, withLast({ ...conversation, floors, unread: conversation.unread + 1 }, row, me));
  return !conversation.request;
};

/** Receipts speak of messages of this account to their sender; everything else in them is ignored. */
const applyReceipt = async (draft: Draft, content: ReceiptContent, { from, me }: Arrival): Promise<void> => {
  for (const id of content.messages) {
    const message = await draft.get('message', [from.account, id]);
    if (!message || message.from !== me || message.status === 'failed') continue;
    const status = joinStatus(message.status, content.status);
    if (status === message.status) continue;
    putMessage(draft, { ...message, status });
    const conversation = await draft.get('conversation', from.account);
    if (conversation?.last?.id !== id) continue;
    putConversation(draft, { ...conversation, last: { ...conversation.last, status } });
  }
};

/** Says to the author of `messages` how far they came; in as many receipts as the limit asks for. */
export const enqueueReceipts = (
  draft: Draft,
  conversation: string,
  status: ReceiptContent['status'],
  messages: readonly string[],
): void => {
  for (let start = 0; start < messages.length; start += LIMITS.receiptMessages) {
    const part = messages.slice(start, start + LIMITS.receiptMessages) as ReceiptContent['messages'];
    enqueue(draft, conversation, { kind: 'receipt', status, messages: part });
  }
};

/** Takes one content in; the id of a message whose author is to hear that it arrived, if it is one. */
export const apply = async (
  draft: Draft,
  content: Content,
  arrival: Arrival,
): Promise<string | undefined> => {
  switch (content.kind) {
    case 'text':
      return (await applyText(draft, content, arrival)) ? content.id : undefined;
    case 'repair':
      return undefined;
    case 'receipt':
      await applyReceipt(draft, content, arrival);
      return undefined;
    case 'profile': {
      const contact: ContactRow | undefined = await draft.get('contact', arrival.from.account);
      const name = cleanName(content.name);
      const { token } = content;
      if (contact)
        putContact(draft, {
          ...contact,
          ...(name !== '' && { name }),
          ...(token !== undefined && { token }),
        });
      return undefined;
    }
  }
};
