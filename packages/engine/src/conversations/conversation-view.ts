import type { AccountId } from '@sotto/contract/ids';
import type { Clock } from '../clock.ts';
import { createEmitter } from '../emitter.ts';
import type { Live } from '../live.ts';
import type { ReadModel } from '../model.ts';
import { START, type Write } from '../ports.ts';
import type { ConversationRow, MessageRow } from '../rows.ts';
import type { ChatMessage, ConversationSnapshot, ConversationView, OpenAt, Person, View } from '../views.ts';
import { toChatMessage } from './chat-message.ts';
import { summaryOf } from '../groups/group-view.ts';
import { personOf } from './person.ts';
import { byPlace, createWindow } from './window.ts';

interface Context {
  model: ReadModel;
  live: View<Live>;
  clock: Clock;
}

/** The messages that others in the window answer and that do not stand in it. */
const createQuotes = (model: ReadModel, conversation: string) => {
  const quoted = new Map<string, MessageRow | undefined>();
  return {
    get: (id: string) => quoted.get(id),
    /** Reads those that are missing; true when there were any. */
    async load(rows: readonly MessageRow[], has: (id: string) => boolean): Promise<boolean> {
      const wanted = new Set(rows.flatMap(({ reply }) => (reply && !has(reply.id) ? [reply.id] : [])));
      for (const id of quoted.keys()) if (!wanted.has(id)) quoted.delete(id);
      const missing = [...wanted].filter((id) => !quoted.has(id));
      for (const id of missing) quoted.set(id, await model.store.get('message', [conversation, id]));
      return missing.length > 0;
    },
    put(id: string, row: MessageRow | undefined): boolean {
      if (!quoted.has(id)) return false;
      quoted.set(id, row);
      return true;
    },
    clear: () => quoted.clear(),
  };
};

/** Whoever is named in messages of a group, and who writes there. */
const peopleIn = (
  model: ReadModel,
  messages: readonly ChatMessage[],
  typing: readonly string[] = [],
): Record<string, Person> => {
  const accounts = new Set(typing);
  for (const { from, deletedBy, sharedBy, reply, note, mentions, reactions, reached } of messages) {
    accounts.add(from);
    if (deletedBy) accounts.add(deletedBy);
    if (sharedBy) accounts.add(sharedBy);
    if (reply) accounts.add(reply.from);
    if (note && 'accounts' in note) for (const account of note.accounts) accounts.add(account);
    for (const mention of mentions ?? []) accounts.add(mention.account);
    for (const reaction of reactions ?? []) for (const account of reaction.accounts) accounts.add(account);
    for (const one of reached ?? []) accounts.add(one.account);
  }
  return Object.fromEntries([...accounts].map((account) => [account, personOf(model, account)]));
};

/** A window on a conversation, kept in step with what is committed. */
export const openConversationView = async (
  { model, live, clock }: Context,
  { id }: ConversationRow,
  at: OpenAt = 'last',
): Promise<ConversationView> => {
  const emitter = createEmitter();
  const window = createWindow(model.store, id);
  const quotes = createQuotes(model, id);
  let firstUnread: string | undefined;
  /** How often it was looked for, and which of these looks is the latest that is known. */
  let looks = 0;
  let known = 0;
  let snapshot: ConversationSnapshot | undefined;

  const changed = (): void => {
    snapshot = undefined;
    emitter.emit();
  };

  const has = (message: string): boolean => window.get(message) !== undefined;

  /** Finds out what the rows of the window name and do not hold, then shows it. */
  const follow = async (): Promise<void> => {
    if (await quotes.load(window.rows(), has)) changed();
  };

  const findUnread = async (): Promise<void> => {
    const look = (looks += 1);
    const [first] = await model.store.messages(
      { conversation: id, unread: true },
      { after: START, limit: 1 },
    );
    if (look < known) return;
    known = look;
    if (first?.id === firstUnread) return;
    firstUnread = first?.id;
    changed();
  };

  const moving = (move: () => Promise<unknown>) => {
    let underWay: Promise<void> | undefined;
    return (): Promise<void> => {
      underWay ??= move()
        .then(async () => {
          changed();
          await follow();
        })
        .finally(() => {
          underWay = undefined;
        });
      return underWay;
    };
  };

  const show = async (place: OpenAt): Promise<void> => {
    await findUnread();
    const message = place === 'last' ? undefined : place === 'unread' ? firstUnread : place;
    // A message that is gone, or nothing unread: the end.
    if (!(await window.show(message))) await window.show(undefined);
    changed();
    await follow();
  };

  const again = moving(async () => {
    quotes.clear();
    await window.again();
    await findUnread();
  });

  let unread = model.conversations.get(id)?.unread ?? 0;
  /** After a commit, without a look at the store where the commit tells. They fail when it is closed or broken. */
  const followUnread = (writes: readonly Write[]): void => {
    const before = unread;
    unread = model.conversations.get(id)?.unread ?? 0;
    if (unread === before) return;
    const came = writes.flatMap((write) =>
      write.table === 'message' && 'put' in write && write.put.conversation === id && write.put.unread === 1
        ? [write.put]
        : [],
    );
    if (unread > 0 && (before > 0 || came.length !== unread)) return void findUnread().catch(() => undefined);
    known = looks += 1;
    firstUnread = came.toSorted(byPlace)[0]?.id;
  };
  const stopListening = model.onChange((writes) => {
    let hit = false;
    let gap = false;
    for (const write of writes) {
      if (write.table === 'message') {
        const [of, message] = 'put' in write ? [write.put.conversation, write.put.id] : write.remove;
        if (of !== id) continue;
        const row = 'put' in write ? write.put : undefined;
        const shown = window.put(message, row);
        hit = quotes.put(message, row) || shown.hit || hit;
        gap ||= shown.gap;
      }
      const key = 'put' in write ? undefined : write.remove;
      if (write.table === 'conversation') hit ||= ('put' in write ? write.put.id : key) === id;
      if (write.table === 'contact') {
        const account = 'put' in write ? write.put.account : key;
        hit ||=
          account === id || (account !== undefined && snapshot?.people?.[account as string] !== undefined);
      }
      if (write.table === 'self') hit = true;
    }
    if (!hit) return;
    followUnread(writes);
    changed();
    // They fail when the store is closed or broken: then there is nothing newer to show.
    (gap ? again() : follow()).catch(() => undefined);
  });
  const stopResync = model.onResync(() => void again().catch(() => undefined));
  const signsHere = (): string => {
    const { typing, online } = live.getSnapshot().signs;
    return JSON.stringify([typing[id], online.includes(id)]);
  };
  let signs = signsHere();
  const stopLive = live.subscribe(() => {
    const before = signs;
    signs = signsHere();
    if (signs !== before) changed();
  });
  const close = (): void => {
    stopListening();
    stopResync();
    stopLive();
  };

  const read = (): ConversationSnapshot => {
    const { self } = model;
    const me = self?.account ?? '';
    const row = model.conversations.get(id);
    const now = clock.now();
    const isHere = (message: MessageRow | undefined): message is MessageRow =>
      message !== undefined && (message.expiresAt ?? Infinity) > now;
    const quotedOf = ({ reply }: MessageRow): MessageRow | undefined => {
      const quoted = reply && (window.get(reply.id) ?? quotes.get(reply.id));
      return isHere(quoted) ? quoted : undefined;
    };
    const { typing, online } = live.getSnapshot().signs;
    const messages = window
      .rows()
      .filter(isHere)
      .map((message) => toChatMessage(message, quotedOf(message), me));
    return {
      peer: personOf(model, id),
      ...(row?.group && {
        group: summaryOf(row.group),
        people: peopleIn(model, messages, typing[id]),
      }),
      messages,
      hasOlder: window.hasOlder,
      hasNewer: window.hasNewer,
      unread: row?.unread ?? 0,
      mentioned: row?.mentioned ?? 0,
      typing: (typing[id] ?? []) as AccountId[],
      online: online.includes(id),
      ...(firstUnread !== undefined && { firstUnread }),
      ...(row?.timer !== undefined && { timer: row.timer }),
      ...(row?.draft && { draft: row.draft }),
      ...(row?.request && { request: true }),
      ...(self?.blocked?.includes(id) && { blocked: true }),
    };
  };

  try {
    await show(at);
  } catch (error) {
    close();
    throw error;
  }
  return {
    subscribe: emitter.subscribe,
    getSnapshot: () => (snapshot ??= read()),
    show,
    loadOlder: moving(() => window.older()),
    loadNewer: moving(() => window.newer()),
    close,
  };
};
