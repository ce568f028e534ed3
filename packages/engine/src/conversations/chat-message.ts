import type { AccountId } from '@sotto/contract/ids';
import { RelayError } from '@sotto/contract/errors';
import type { MessageRow, SendProblem } from '../rows.ts';
import { leastReach } from './status.ts';
import type { ChatMessage, QuotedMessage } from '../views.ts';

const quote = (row: MessageRow, quoted: MessageRow | undefined, me: string): QuotedMessage => {
  const { author, id } = row.reply!;
  const known = quoted?.from === author ? quoted : undefined;
  return {
    id,
    from: author as AccountId,
    mine: author === me,
    ...(known && !known.deleted ? { text: known.text } : {}),
  };
};

const reactionsOf = ({ reactions = {} }: MessageRow, me: string): NonNullable<ChatMessage['reactions']> => {
  const found = new Map<string, { emoji: string; accounts: AccountId[]; mine: boolean }>();
  const given = Object.entries(reactions).toSorted(([, a], [, b]) => a.sentAt - b.sentAt);
  for (const [account, { emoji }] of given) {
    if (emoji === null) continue;
    const entry = found.get(emoji) ?? { emoji, accounts: [], mine: false };
    entry.accounts.push(account as AccountId);
    entry.mine ||= account === me;
    found.set(emoji, entry);
  }
  return [...found.values()];
};

/** Of one who wrote to a single person, only once something is known. */
const reachedBy = ({ to, reached, conversation }: MessageRow): readonly string[] =>
  to ?? (reached?.[conversation] ? [conversation] : []);

const reachOf = (row: MessageRow): NonNullable<ChatMessage['reached']> =>
  reachedBy(row).map((account) => {
    const reach = leastReach(row.reached, [account]);
    return { account: account as AccountId, ...(reach && { reach }), ...row.reachedAt?.[account] };
  });

/** Reasons that lie with the recipient's devices, which may be others by now. */
const PASSING: readonly SendProblem[] = ['device-unknown', 'stale-devices', 'keys-invalid'];

/** Said here, not by the relay. */
const HERE: readonly SendProblem[] = ['other-handle', 'group-stopped', 'not-a-member'];

const mayHelp = (problem: SendProblem): boolean =>
  PASSING.includes(problem) ||
  (!HERE.includes(problem) && new RelayError(problem as RelayError['code']).retry);

const make = (row: MessageRow, quoted: MessageRow | undefined, me: string): ChatMessage => {
  const { id, from, text, at, sentAt, status, problem, newer, deleted, edits, mentions } = row;
  const reactions = reactionsOf(row, me);
  const reached = reachOf(row);
  return {
    id,
    from: from as AccountId,
    mine: from === me,
    text,
    time: at ?? sentAt,
    status,
    ...(problem && { problem, retry: mayHelp(problem) }),
    ...(newer && { newer: true }),
    ...(row.note && { note: row.note }),
    ...(row.outdated && { outdated: true }),
    ...(row.shared !== undefined && { sharedBy: row.shared as AccountId }),
    ...((row.to || reached.length > 0) && { reached }),
    ...(deleted && { deleted: true }),
    ...(deleted && deleted.by !== from && { deletedBy: deleted.by as AccountId }),
    ...(edits && { edits: edits.map((edit) => ({ text: edit.text, time: edit.sentAt })) }),
    ...(mentions && { mentions }),
    ...(row.reply && { reply: quote(row, quoted, me) }),
    ...(row.forwarded && { forwarded: true }),
    ...(reactions.length > 0 && { reactions }),
    ...(row.starred && { starred: true }),
    ...(row.unread && { unread: true }),
    ...(row.timer !== undefined && { timer: row.timer }),
    ...(row.expiresAt !== undefined && { expiresAt: row.expiresAt }),
  };
};

const shown = new WeakMap<MessageRow, { quoted: MessageRow | undefined; message: ChatMessage }>();

/** The same object for the same rows, so that a list repaints only what changed. */
export const toChatMessage = (row: MessageRow, quoted: MessageRow | undefined, me: string): ChatMessage => {
  const known = shown.get(row);
  if (known && known.quoted === quoted) return known.message;
  const message = make(row, quoted, me);
  shown.set(row, { quoted, message });
  return message;
};
