import type { GroupContent, SharedMessage } from '@sotto/contract/content';
import { LIMITS } from '@sotto/contract/limits';
import { encode } from '@sotto/crypto/canonical';
import { roleOf } from '@sotto/crypto/membership-state';
import { takePending } from '../conversations/pending.ts';
import { withMarks } from '../conversations/marks.ts';
import { settleMarks } from '../conversations/change.ts';
import { putConversation, putMessage } from '../conversations/draft.ts';
import { withLast } from '../conversations/order.ts';
import type { Draft } from '../model.ts';
import type { Reader } from '../ports.ts';
import type { GroupRow, HistoryChoice, MessageRow } from '../rows.ts';
import { putGroup } from './group-rows.ts';

const DAY = 24 * 60 * 60 * 1000;
const PAGE = 200;
/** Looked through for those that may be shown. */
const LOOKED_AT = 2_000;
/** Of one message to a newcomer, and of all of them: bytes. */
const CHUNK = 32 * 1024;
const ALL = 512 * 1024;
/** Who may have sent something along before the log was read. */
const SHARERS = 4;

/** Texts that everybody there can have: nothing that goes by itself, was taken back, or has not left. */
const isShareable = ({ status, at, deleted, timer, newer, note, text }: MessageRow): boolean =>
  at !== undefined &&
  status !== 'waiting' &&
  status !== 'failed' &&
  !deleted &&
  timer === undefined &&
  !newer &&
  !note &&
  text !== '';

const toShared = (row: MessageRow): SharedMessage =>
  ({
    author: row.from,
    id: row.id,
    sentAt: row.sentAt,
    // One that others overtook stands between two milliseconds.
    at: Math.floor(row.order),
    text: row.text,
    ...(row.reply && { reply: row.reply }),
    ...(row.mentions && { mentions: row.mentions }),
    ...(row.forwarded && { forwarded: true }),
  }) as SharedMessage;

/** The newest messages of a group that stand before `before`, as far as chosen: the oldest first, in parts that can be sent. */
export const gatherHistory = async (
  store: Reader,
  group: string,
  { choice, before }: { choice: HistoryChoice; before: number },
): Promise<SharedMessage[][]> => {
  if (choice === 'none') return [];
  const most = choice === 'last' ? 100 : LIMITS.sharedInAll;
  const since = choice === 'day' ? before - DAY : 0;
  const found: { message: SharedMessage; bytes: number }[] = [];
  let bytes = 0;
  let place: MessageRow | undefined;
  for (let looked = 0; looked < LOOKED_AT; looked += PAGE) {
    const rows = await store.messages(
      { conversation: group },
      { limit: PAGE, ...(place && { before: place }) },
    );
    for (const row of rows) {
      if (row.order < since || found.length >= most || bytes > ALL) return parts(found);
      if (row.order >= before || !isShareable(row)) continue;
      const message = toShared(row);
      const size = encode(message).length;
      if (size > CHUNK) continue;
      bytes += size;
      found.push({ message, bytes: size });
    }
    place = rows.at(-1);
    if (rows.length < PAGE) break;
  }
  return parts(found);
};

const parts = (newestFirst: readonly { message: SharedMessage; bytes: number }[]): SharedMessage[][] => {
  const all: SharedMessage[][] = [];
  let room = 0;
  for (const { message, bytes } of newestFirst.toReversed()) {
    if (bytes > room || all.at(-1)!.length >= LIMITS.sharedMessages) {
      all.push([]);
      room = CHUNK;
    }
    room -= bytes;
    all.at(-1)!.push(message);
  }
  return all;
};

/** Stores messages that `from` sent along, each that is not here yet: before the line that says that this account came. */
const putShared = async (
  draft: Draft,
  { group, joined }: GroupRow,
  messages: readonly SharedMessage[],
  { from, me, now, blocked }: { from: string; me: string; now: number; blocked: readonly string[] },
): Promise<void> => {
  // By a clock that is behind they would stand after it: all of them go back, and keep their order.
  const last = Math.max(0, ...messages.map(({ at }) => at));
  const over = Math.max(0, last - (joined!.order - 1));
  let order = 0;
  for (const { author, at, ...message } of messages) {
    const { id } = message;
    // Of one millisecond too they stand as they were sent along.
    order = Math.max(at - over, order + 0.001);
    const key: [string, string] = [group, id];
    if (blocked.includes(author)) continue;
    if ((await draft.get('message', key)) ?? (await draft.get('gone', key))) continue;
    const conversation = await draft.get('conversation', group);
    if (!conversation) return;
    const plain = {
      ...message,
      conversation: group,
      from: author,
      device: '',
      order,
      at: Math.min(at, joined!.order),
      status: author === me ? 'sent' : 'read',
      shared: from,
      unindexed: 1,
    } as MessageRow;
    const pending = await takePending(draft, conversation, { author, id });
    const row = settleMarks(withMarks(plain, pending.marks), pending.conversation, { me, now });
    putMessage(draft, row);
    putConversation(draft, withLast(pending.conversation, row, me));
  }
};

interface Taking {
  me: string;
  now: number;
}

/**
 * What somebody sent along of a group that this account is new in: from who brought it there alone, and on their word. Before
 * the log says who that is, it waits.
 */
export const takeHistory = async (
  draft: Draft,
  { group, history }: GroupContent,
  from: string,
  at: Taking,
): Promise<void> => {
  if (!history) return;
  const row = await draft.get('group', group);
  if (!row || row.stopped) return;
  if (row.state) {
    const { joined, state } = row;
    if (joined?.by !== from || from === at.me) return;
    // Only while both are in, and no more than one choice of theirs comes to.
    const taken = (joined.taken ?? 0) + history.length;
    if (!roleOf(state, from) || !roleOf(state, at.me) || taken > LIMITS.sharedInAll) return;
    const blocked = (await draft.get('self', 'self'))!.blocked ?? [];
    putGroup(draft, { ...row, joined: { ...joined, taken } });
    return putShared(draft, row, history, { ...at, from, blocked });
  }
  const early = row.early ?? [];
  const theirs = early.find((one) => one.from === from)?.messages ?? [];
  const others = early.filter((one) => one.from !== from);
  if (theirs.length + history.length > LIMITS.sharedInAll || others.length >= SHARERS) return;
  putGroup(draft, { ...row, early: [...others, { from, messages: [...theirs, ...history] }] });
};

/** Takes in what waited for the log; the group without it. */
export const takeEarly = async (draft: Draft, row: GroupRow, at: Taking): Promise<GroupRow> => {
  const { early, ...rest } = row;
  const { joined } = row;
  if (!early || !joined) return row;
  const messages = early.find(({ from }) => from === joined.by)?.messages;
  if (!messages) return rest;
  const blocked = (await draft.get('self', 'self'))!.blocked ?? [];
  await putShared(draft, rest, messages, { ...at, from: joined.by, blocked });
  return { ...rest, joined: { ...joined, taken: messages.length } };
};
