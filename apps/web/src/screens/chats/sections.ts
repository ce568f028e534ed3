import type { ConversationSummary } from '@sotto/engine/views';

/** What stands in the list, from the top. */
export type Entry =
  | { kind: 'requests'; count: number; unread: number }
  | { kind: 'chat'; conversation: ConversationSummary }
  /** The fold of what is archived; what is in it follows when it is open. */
  | { kind: 'archive'; count: number; unread: number; open: boolean };

/** Asked and not answered: stands in the list of requests alone. */
export const isRequest = ({ request, blocked }: ConversationSummary): boolean =>
  request === true && blocked !== true;

const unreadOf = (conversations: readonly ConversationSummary[]): number =>
  conversations.reduce((sum, { unread }) => sum + unread, 0);

/** Requests first, then what is pinned, the rest, and the archive; each with the newest first, as the engine has them. */
export const arrangeChats = (
  conversations: readonly ConversationSummary[],
  archiveOpen: boolean,
): Entry[] => {
  const requests = conversations.filter(isRequest);
  const own = conversations.filter(({ request }) => request !== true);
  const archived = own.filter((conversation) => conversation.archived === true);
  const listed = own.filter((conversation) => conversation.archived !== true);
  const pinned = listed
    .filter((conversation) => conversation.pinned !== undefined)
    .toSorted((a, b) => (b.pinned ?? 0) - (a.pinned ?? 0));
  const rest = listed.filter((conversation) => conversation.pinned === undefined);
  const chat = (conversation: ConversationSummary): Entry => ({ kind: 'chat', conversation });
  return [
    ...(requests.length > 0
      ? [{ kind: 'requests' as const, count: requests.length, unread: unreadOf(requests) }]
      : []),
    ...pinned.map(chat),
    ...rest.map(chat),
    ...(archived.length > 0
      ? [
          {
            kind: 'archive' as const,
            count: archived.length,
            unread: unreadOf(archived),
            open: archiveOpen,
          },
        ]
      : []),
    ...(archiveOpen ? archived.map(chat) : []),
  ];
};

/** Which of its unread messages call for attention: those that name one can where a group is muted; undefined for none. */
export const calls = (
  { request, blocked, archived, group, muted = 0 }: ConversationSummary,
  { now, mentions }: { now: number; mentions: boolean },
): 'unread' | 'mentioned' | undefined => {
  if (request || blocked || archived) return undefined;
  if (muted <= now) return 'unread';
  return group && mentions ? 'mentioned' : undefined;
};

/** What the window's title counts. */
export const unreadToTell = (
  conversations: readonly ConversationSummary[],
  at: { now: number; mentions: boolean },
): number =>
  conversations.reduce((sum, conversation) => {
    const which = calls(conversation, at);
    return which ? sum + conversation[which] : sum;
  }, 0);

const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase();

/** Conversations with people whose name or handle has every word of `query`, whatever its case and accents. */
export const findByName = (
  conversations: readonly ConversationSummary[],
  query: string,
): ConversationSummary[] => {
  const words = folded(query).split(/\s+/u).filter(Boolean);
  if (words.length === 0) return [];
  return conversations.filter(({ peer, group }) => {
    const name = group ? folded(peer.name) : `${folded(peer.name)} @${peer.handle}`;
    return words.every((word) => name.includes(word));
  });
};
