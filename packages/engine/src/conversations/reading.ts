import { LIMITS } from '@sotto/contract/limits';
import { enqueueSync } from '../devices/sync.ts';
import type { Draft } from '../model.ts';
import type { Store } from '../ports.ts';
import type { ConversationRow, MessageRow, SelfRow } from '../rows.ts';
import { isAmong } from './audience.ts';
import { changeMessage } from './change.ts';
import { enqueue, putConversation } from './draft.ts';
import { receiptsOf } from './receipts.ts';
import { settingsOf } from './settings.ts';

const PAGE = 100;

/** A message that has been seen: its timer runs from now on. */
const seen = (row: MessageRow, now: number): MessageRow => {
  const { unread: _, ...rest } = row;
  const { timer, expiresAt } = row;
  const starts = timer !== undefined && expiresAt === undefined;
  return { ...rest, status: 'read', ...(starts && { expiresAt: now + timer * 1000 }) };
};

/** Messages that were read on another device of this account. */
export const readHere = async (
  draft: Draft,
  id: string,
  messages: readonly string[],
  { me, now }: { me: string; now: number },
): Promise<void> => {
  for (const message of messages) {
    const conversation = await draft.get('conversation', id);
    const row = await draft.get('message', [id, message]);
    if (conversation && row?.unread) changeMessage(draft, conversation, row, seen(row, now), me);
  }
};

/** The unread messages of a conversation up to the place of `upTo`, or all of them. */
const unreadOf = async (store: Store, id: string, upTo: MessageRow | undefined): Promise<MessageRow[]> => {
  const rows: MessageRow[] = [];
  for (;;) {
    const after = rows.at(-1) ?? { conversation: id, order: -1, id: '' };
    const page = await store.messages({ conversation: id, unread: true }, { after, limit: PAGE });
    const wanted = page.filter(
      (row) => !upTo || row.order < upTo.order || (row.order === upTo.order && row.id <= upTo.id),
    );
    rows.push(...wanted);
    if (wanted.length < PAGE) return rows;
  }
};

/** Those of the messages that are unread, each once. */
const unreadAmong = async (draft: Draft, id: string, messages: readonly string[]): Promise<MessageRow[]> => {
  const rows = await Promise.all(
    [...new Set(messages)].map((message) => draft.get('message', [id, message])),
  );
  return rows.filter((row) => row?.unread === 1) as MessageRow[];
};

/**
 * Marks messages as seen and tells their author, and one's own other devices. Nobody is told of requests, nor an author
 * who is not among those that the person lets know.
 */
export const markSeen = async (
  draft: Draft,
  store: Store,
  self: SelfRow,
  { id, request, group }: ConversationRow,
  { which, now }: { which?: string | readonly string[] | undefined; now: number },
): Promise<void> => {
  const last = typeof which === 'string' ? await draft.get('message', [id, which]) : undefined;
  if (typeof which === 'string' && !last) return;
  const rows =
    typeof which === 'object' ? await unreadAmong(draft, id, which) : await unreadOf(store, id, last);
  for (const row of rows) {
    const conversation = await draft.get('conversation', id);
    changeMessage(draft, conversation!, row, seen(row, now), self.account);
  }
  if (which === undefined) {
    const { mentioned: _, ...rest } = (await draft.get('conversation', id))!;
    if (rest.unread > 0) putConversation(draft, { ...rest, unread: 0 });
  }
  const known = rows.filter(({ newer }) => !newer);
  const isLarge = (group?.members ?? 0) > LIMITS.receiptMembers;
  const audience = request || isLarge ? 'nobody' : settingsOf(self).receipts;
  const hearers = new Set<string>();
  for (const account of new Set(known.map(({ from }) => from))) {
    if (isAmong(audience, self, { account, direct: await draft.get('conversation', account) }))
      hearers.add(account);
  }
  // In a group each author alone hears of it.
  const hearerOf = ({ from }: MessageRow) => (hearers.has(from) ? from : undefined);
  for (const hearer of new Set(known.map(hearerOf))) {
    const theirs = known.filter((row) => hearerOf(row) === hearer).map((row) => row.id);
    for (const receipt of receiptsOf('read', theirs, group && hearer ? id : undefined)) {
      if (hearer) enqueue(draft, hearer, receipt);
      else enqueueSync(draft, self, id, receipt);
    }
  }
};
