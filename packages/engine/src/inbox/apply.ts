import type { ReceiptContent, TextContent } from '@sotto/contract/content';
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
import type { ContactRow, MessageRow } from '../rows.ts';
import { randomId } from '../random-id.ts';
import type { Known, Newer } from './decrypt.ts';

interface Arrival {
  from: { account: string; device: string };
  /** The relay's accept time in ms. */
  at: number;
  now: number;
  me: string;
  /** Nothing vouched for the sender. */
  request: boolean;
}

/** Puts a message of somebody else into its place; true when its author may hear of it. */
const putArrival = async (
  draft: Draft,
  message: Pick<MessageRow, 'id' | 'sentAt' | 'text' | 'newer'>,
  { from, at, now, me, request }: Arrival,
): Promise<boolean> => {
  const conversation = await directConversation(draft, from.account, now, request);
  const { order, floors } = place(conversation, from.device, at);
  const row: MessageRow = {
    ...message,
    conversation: conversation.id,
    order,
    from: from.account,
    at,
    status: 'delivered',
  };
  putMessage(draft, row);
  putConversation(draft, withLast({ ...conversation, floors, unread: conversation.unread + 1 }, row, me));
  return !conversation.request;
};

/** Takes a text in; true when it is new and its author is to hear that it arrived. */
const applyText = async (draft: Draft, content: TextContent, arrival: Arrival): Promise<boolean> => {
  const { id, sentAt, text } = content;
  // The same message under another envelope was shown already.
  if (await draft.get('message', [arrival.from.account, id])) return false;
  return putArrival(draft, { id, sentAt, text }, arrival);
};

/** Shows that something came which this version cannot show, and keeps it. Of strangers, only texts are taken. */
export const applyNewer = async (draft: Draft, { id, bytes }: Newer, arrival: Arrival): Promise<void> => {
  const { account } = arrival.from;
  const known = await draft.get('conversation', account);
  if (known ? known.request : arrival.request) return;
  if (id !== undefined && (await draft.get('message', [account, id]))) return;
  // Without an id of its own it gets one here. That of its envelope is anybody's to choose.
  await putArrival(draft, { id: id ?? randomId(), sentAt: arrival.at, text: '', newer: bytes }, arrival);
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
export const apply = async (draft: Draft, content: Known, arrival: Arrival): Promise<string | undefined> => {
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
