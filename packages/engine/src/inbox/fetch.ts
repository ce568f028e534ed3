import type { Draft } from '../model.ts';
import { type Decrypted, isKnown, type Known } from './decrypt.ts';
import type { Opened } from './senders.ts';

/** Rows of one table that are read ahead: an envelope may name more than is good to hold at once. */
const MOST = 1000;

/** What is going to be asked for of one message: itself, and of a new one whether it was here before. */
interface Wanted {
  conversation: string;
  author: string;
  id: string;
  isNew: boolean;
}

/** The messages that a content is, or speaks of. */
const named = (content: Known, conversation: string, author: string): Wanted[] => {
  const want = (id: string, isNew = false): Wanted => ({ conversation, author, id, isNew });
  switch (content.kind) {
    case 'text':
      return [want(content.id, true)];
    case 'edit':
      return [want(content.message)];
    case 'delete':
      return content.messages.map(({ id }) => want(id));
    case 'reaction':
      return [want(content.to.id)];
    case 'receipt':
      return content.messages.map((id) => ({ ...want(id), conversation: content.group ?? conversation }));
    case 'sync':
      return isKnown(content.sent) ? named(content.sent, content.conversation, author) : [];
    default:
      return [];
  }
};

const wantedOf = (opened: Opened, result: Decrypted | undefined): Wanted[] => {
  if (!result || !('peer' in opened)) return [];
  const { account } = opened.peer;
  if ('content' in result) return named(result.content, account, account);
  const id = 'newer' in result ? result.newer.id : undefined;
  return id === undefined ? [] : [{ conversation: account, author: account, id, isNew: true }];
};

/** Reads the sessions with all senders of a batch. */
export const fetchPeers = (draft: Draft, batch: readonly Opened[]): Promise<void> => {
  const peers = new Map<string, [string, string]>();
  for (const opened of batch) {
    if (!('peer' in opened)) continue;
    const { account, device } = opened.peer;
    peers.set(`${account} ${device}`, [account, device]);
  }
  return draft.prefetch('peer', [...peers.values()].slice(0, MOST));
};

/** Reads what the contents of a batch are going to be held against. */
export const fetchMessages = async (
  draft: Draft,
  batch: readonly Opened[],
  results: readonly (Decrypted | undefined)[],
): Promise<void> => {
  const wanted = batch.flatMap((opened, at) => wantedOf(opened, results[at])).slice(0, MOST);
  const added = wanted.filter(({ isNew }) => isNew);
  await Promise.all([
    draft.prefetch(
      'message',
      wanted.map(({ conversation, id }) => [conversation, id]),
    ),
    draft.prefetch(
      'gone',
      added.map(({ conversation, id }) => [conversation, id]),
    ),
    draft.prefetch(
      'pending',
      added.map(({ conversation, author, id }) => [conversation, author, id]),
    ),
  ]);
};
