import type {
  DeleteContent,
  EditContent,
  ReactionContent,
  ReceiptContent,
  TextContent,
} from '@sotto/contract/content';
import { cleanName } from '../clean-text.ts';
import { mark, mentions as names, settleMarks } from '../conversations/change.ts';
import {
  directConversation,
  enqueue,
  agreedConversation,
  putContact,
  putConversation,
  putMessage,
} from '../conversations/draft.ts';
import { freeId } from '../conversations/clash.ts';
import { withMarks } from '../conversations/marks.ts';
import { place, placeOfLate, withLast, withSent, withTimer } from '../conversations/order.ts';
import { takePending } from '../conversations/pending.ts';
import { readHere } from '../conversations/reading.ts';
import { receiptsOf } from '../conversations/receipts.ts';
import type { Draft } from '../model.ts';
import type { ConversationRow, MessageRow } from '../rows.ts';
import { randomId } from '../random-id.ts';
import type { Known, Newer } from './decrypt.ts';

export interface Arrival {
  from: { account: string; device: string };
  /** Where it belongs: the sender's account, or where another device of this account says that it sent it. */
  conversation: string;
  /** The relay's accept time in ms. */
  at: number;
  /** `at` is where the message stands already. */
  placed?: true;
  now: number;
  me: string;
  /** Nothing vouched for the sender. */
  request: boolean;
  /** Sent in a group by who did not know that somebody had left it. */
  outdated?: true;
  /** In a group whose admins take back what others wrote, by one of them. */
  deletesAll?: true;
}

/** Where a message stands, and what the conversation knows of its device then. */
const placeOf = async (
  draft: Draft,
  conversation: ConversationRow,
  { sentAt, newer }: Pick<MessageRow, 'sentAt' | 'newer'>,
  { from: { account, device }, at, placed }: Arrival,
): Promise<{ order: number } & Pick<ConversationRow, 'floors' | 'sent'>> => {
  // Another device of this account has found the place.
  if (placed) {
    const floors = { ...conversation.floors, [device]: Math.max(conversation.floors[device] ?? 0, at) };
    return { order: at, floors };
  }
  // What such a one says of its time is not known here.
  if (newer) return place(conversation, device, at);
  const late = await placeOfLate(draft, conversation, { from: account, device, sentAt });
  if (late !== undefined) return { order: late, floors: conversation.floors };
  return { ...place(conversation, device, at), sent: withSent(conversation, device, { sentAt, at }) };
};

/** When a message came from another device of this account, it has been sent and read. */
const statusOf = ({ from, me, now }: Arrival, timer: number | undefined): Partial<MessageRow> => {
  if (from.account !== me) return { status: 'delivered', unread: 1 };
  return { status: 'sent', ...(timer !== undefined && { expiresAt: now + timer * 1000 }) };
};

/** Puts a message into its place, with what was said of it before it came; true when its author may hear of it. */
const putArrival = async (
  draft: Draft,
  message: Omit<MessageRow, 'conversation' | 'order' | 'from' | 'device' | 'status'>,
  arrival: Arrival,
): Promise<boolean> => {
  const { from, at, now, me, request } = arrival;
  const made =
    from.account === me
      ? await agreedConversation(draft, arrival.conversation, now)
      : await directConversation(draft, arrival.conversation, now, request);
  const { conversation, marks } = await takePending(draft, made, { author: from.account, id: message.id });
  const { order, ...known } = await placeOf(draft, conversation, message, arrival);
  const plain = {
    ...message,
    conversation: conversation.id,
    order,
    from: from.account,
    device: from.device,
    at,
    unindexed: 1,
    ...(arrival.outdated && { outdated: true }),
    ...statusOf(arrival, message.timer),
  } as MessageRow;
  const row = settleMarks(withMarks(plain, marks), conversation, { me, now });
  putMessage(draft, row);
  const unread = conversation.unread + (row.unread ?? 0);
  const mentioned = (conversation.mentioned ?? 0) + Number(row.unread === 1 && names(row, me));
  const counted = { ...conversation, ...known, unread, ...(mentioned > 0 && { mentioned }) };
  putConversation(draft, withTimer(withLast(counted, row, me), row));
  return !conversation.request && from.account !== me;
};

/** The mentions that lie within the text. */
const within = <T extends { start: number; length: number }>(all: T[] | undefined, text: string): T[] =>
  (all ?? []).filter(({ start, length }) => start + length <= text.length);

/** Takes a text in; true when it is new and its author is to hear that it arrived. */
const applyText = async (draft: Draft, content: TextContent, arrival: Arrival): Promise<boolean> => {
  const { sentAt, text, reply, timer, forwarded } = content;
  const id = await freeId(draft, arrival, content.id);
  // The same message under another envelope was shown already.
  if (id === undefined) return false;
  const mentions = within(content.mentions, text);
  const message = {
    id,
    sentAt,
    text,
    ...(reply && { reply }),
    ...(timer !== undefined && { timer }),
    ...(forwarded && { forwarded }),
    ...(mentions.length > 0 && { mentions }),
  };
  return putArrival(draft, message, arrival);
};

/** Shows that something came which this version cannot show, and keeps it. Of strangers, only texts are taken. */
export const applyNewer = async (
  draft: Draft,
  { id: named, bytes }: Newer,
  arrival: Arrival,
): Promise<void> => {
  const { conversation } = arrival;
  if (await isBlocked(draft, arrival)) return;
  const known = await draft.get('conversation', conversation);
  if (known ? known.request : arrival.request) return;
  // Without an id of its own it gets one here. That of its envelope is anybody's to choose.
  const id = named === undefined ? randomId() : await freeId(draft, arrival, named);
  if (id === undefined) return;
  await putArrival(draft, { id, sentAt: arrival.at, text: '', newer: bytes }, arrival);
};

const isGroup = async (draft: Draft, id: string): Promise<boolean> =>
  (await draft.get('conversation', id))?.group !== undefined;

const isBlocked = async (draft: Draft, { from }: Arrival): Promise<boolean> =>
  (await draft.get('self', 'self'))?.blocked?.includes(from.account) ?? false;

/**
 * Edits, deletions and reactions. An edit is on a message of who sends it, and so is a deletion; a reaction is theirs
 * alone. Nobody hears what became of them.
 */
const applyMark = async (
  draft: Draft,
  content: EditContent | DeleteContent | ReactionContent,
  { from: { account }, conversation: id, now, me, deletesAll }: Arrival,
): Promise<void> => {
  const put = async (ref: { author: string; id: string }, marks: Parameters<typeof mark>[3]) => {
    const conversation = await draft.get('conversation', id);
    if (conversation) await mark(draft, conversation, ref, marks, { me, now });
  };
  const { sentAt } = content;
  switch (content.kind) {
    case 'edit': {
      const { message, text } = content;
      const inside = within(content.mentions, text);
      const edit = { text, sentAt, ...(inside.length > 0 && { mentions: inside }) };
      return put({ author: account, id: message }, { edits: [edit] });
    }
    case 'delete':
      for (const ref of content.messages) {
        if (deletesAll || ref.author === account) await put(ref, { deleted: { by: account, sentAt } });
      }
      return undefined;
    case 'reaction':
      // Of somebody who is not in this conversation there are no messages here.
      if (!(await isGroup(draft, id)) && ![id, me].includes(content.to.author)) return undefined;
      return put(content.to, { reactions: { [account]: { emoji: content.emoji, sentAt } } });
  }
};

/** Receipts speak of messages of this account to their sender; everything else in them is ignored. */
const applyReceipt = async (draft: Draft, content: ReceiptContent, arrival: Arrival): Promise<void> => {
  const { from, conversation: id, at, me, now } = arrival;
  // Another device of this account has read them.
  if (from.account === me) return readHere(draft, id, content.messages, { me, now });
  const reached = { [from.account]: { [from.device]: content.status } };
  const reachedAt = { [from.account]: { [content.status]: at } };
  const marks = { reached, reachedAt };
  for (const message of content.messages) {
    const conversation = await draft.get('conversation', id);
    if (conversation) await mark(draft, conversation, { author: me, id: message }, marks, { me, now });
  }
};

const applyProfile = async (
  draft: Draft,
  { name: called, token: shown }: Extract<Known, { kind: 'profile' }>,
  { from: { account }, conversation }: Arrival,
): Promise<void> => {
  // What lets into an inbox is said to one alone.
  const token = conversation === account ? shown : undefined;
  const contact = await draft.get('contact', account);
  const name = cleanName(called);
  if (!contact) return;
  putContact(draft, { ...contact, ...(name !== '' && { name }), ...(token !== undefined && { token }) });
};

/** Says to the author of `messages` how far they came. */
export const enqueueReceipts = (
  draft: Draft,
  conversation: string,
  status: ReceiptContent['status'],
  messages: readonly string[],
  group?: string,
): void => {
  for (const receipt of receiptsOf(status, messages, group)) enqueue(draft, conversation, receipt);
};

/** Takes one content in; the id of a message whose author is to hear that it arrived, if it is one. */
export const apply = async (draft: Draft, content: Known, arrival: Arrival): Promise<string | undefined> => {
  if (await isBlocked(draft, arrival)) return undefined;
  switch (content.kind) {
    case 'text':
      return (await applyText(draft, content, arrival)) ? content.id : undefined;
    case 'edit':
    case 'delete':
    case 'reaction':
      await applyMark(draft, content, arrival);
      break;
    case 'receipt': {
      const { group } = content;
      await applyReceipt(draft, content, group === undefined ? arrival : { ...arrival, conversation: group });
      break;
    }
    case 'profile':
      await applyProfile(draft, content, arrival);
      break;
    default:
  }
  return undefined;
};
