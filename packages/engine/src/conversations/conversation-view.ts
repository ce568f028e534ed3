import type { Model } from '../model.ts';
import type { ConversationRow, MessageRow } from '../rows.ts';
import type { ChatMessage, ConversationSnapshot, ConversationView } from '../views.ts';
import { createEmitter } from '../emitter.ts';
import { personOf } from './person.ts';

/** Messages read from the store at once. */
const PAGE = 50;

const byOrder = (a: MessageRow, b: MessageRow): number => a.order - b.order || (a.id < b.id ? -1 : 1);

const shown = new WeakMap<MessageRow, ChatMessage>();

/** The same object for the same row, so that a list repaints only what changed. */
const toChatMessage = (row: MessageRow, me: string): ChatMessage => {
  const known = shown.get(row);
  if (known) return known;
  const { id, from, text, at, sentAt, status, problem, newer } = row;
  const message = {
    id,
    mine: from === me,
    text,
    time: at ?? sentAt,
    status,
    ...(problem && { problem }),
    ...(newer && { newer: true as const }),
  };
  shown.set(row, message);
  return message;
};

/** A window on the newest messages of a conversation, kept in step with what is committed. */
export const openConversationView = async (
  model: Model,
  conversation: ConversationRow,
): Promise<ConversationView> => {
  const { id } = conversation;
  const emitter = createEmitter();
  const rows = new Map<string, MessageRow>();
  let hasOlder = true;
  let snapshot: ConversationSnapshot | undefined;
  /** The first row of what has been read without a gap. */
  let edge: MessageRow | undefined;
  /** Committed while rows were being read: what was read of them is older. */
  const touched = new Map<string, MessageRow>();
  let reading: Promise<unknown> = Promise.resolve();

  const sorted = (): MessageRow[] => [...rows.values()].toSorted(byOrder);

  const changed = (): void => {
    snapshot = undefined;
    emitter.emit();
  };

  const isBeforeWindow = (row: MessageRow): boolean =>
    hasOlder && edge !== undefined && byOrder(row, edge) < 0;

  /** Reads one page further back; `anew`, as much as there is now, from the newest. One reading at a time. */
  const read = (anew: boolean): Promise<void> => {
    const done = reading.then(async () => {
      if (!anew && !hasOlder) return;
      touched.clear();
      const limit = anew ? Math.max(PAGE, rows.size) : PAGE;
      const page = await model.store.messages(id, { limit, ...(!anew && edge && { before: edge }) });
      if (anew) rows.clear();
      hasOlder = page.length === limit;
      edge = page.at(-1) ?? edge;
      for (const row of [...page, ...touched.values()]) {
        const newest = touched.get(row.id) ?? row;
        if (!isBeforeWindow(newest)) rows.set(row.id, newest);
      }
      changed();
    });
    reading = done.catch(() => undefined);
    return done;
  };

  let older: Promise<void> | undefined;
  const loadOlder = (): Promise<void> => {
    older ??= read(false).finally(() => {
      older = undefined;
    });
    return older;
  };

  const stop = model.onChange((writes) => {
    let hit = false;
    let moved = false;
    for (const write of writes) {
      if (write.table === 'contact' && 'put' in write && write.put.account === id) hit = true;
      if (write.table !== 'message' || !('put' in write) || write.put.conversation !== id) continue;
      touched.set(write.put.id, write.put);
      // What stands before the window comes with its page. A message that has just moved there, from the end where it
      // stood unsent, leaves rows between itself and the window that nobody has read.
      const before = isBeforeWindow(write.put);
      if (before && !rows.has(write.put.id)) continue;
      if (before) moved = true;
      rows.set(write.put.id, write.put);
      hit = true;
    }
    if (hit) changed();
    // Fails when the store is closed or broken: then there is nothing newer to show.
    if (moved) read(true).catch(() => undefined);
  });

  try {
    await loadOlder();
  } catch (error) {
    stop();
    throw error;
  }
  return {
    subscribe: emitter.subscribe,
    getSnapshot() {
      const me = model.self?.account ?? '';
      snapshot ??= {
        peer: personOf(model, id),
        messages: sorted().map((row) => toChatMessage(row, me)),
        hasOlder,
      };
      return snapshot;
    },
    loadOlder,
    close: stop,
  };
};
