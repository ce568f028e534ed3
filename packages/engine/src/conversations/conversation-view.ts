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
  const { id, from, text, at, sentAt, status, problem } = row;
  const message = { id, mine: from === me, text, time: at ?? sentAt, status, ...(problem && { problem }) };
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
  let loading: Promise<void> | undefined;
  /** Ids committed while a page was being read: what the page says of them is older. */
  const touched = new Set<string>();

  const sorted = (): MessageRow[] => [...rows.values()].toSorted(byOrder);

  const changed = (): void => {
    snapshot = undefined;
    emitter.emit();
  };

  const load = async (): Promise<void> => {
    touched.clear();
    const oldest = sorted()[0];
    const page = await model.store.messages(id, { limit: PAGE, ...(oldest && { before: oldest }) });
    hasOlder = page.length === PAGE;
    for (const row of page) if (!touched.has(row.id) || !rows.has(row.id)) rows.set(row.id, row);
    changed();
  };

  const loadOlder = async (): Promise<void> => {
    if (!hasOlder) return;
    loading ??= load().finally(() => {
      loading = undefined;
    });
    await loading;
  };

  const stop = model.onChange((writes) => {
    let hit = false;
    for (const write of writes) {
      if (write.table === 'contact' && 'put' in write && write.put.account === id) hit = true;
      if (write.table !== 'message' || !('put' in write) || write.put.conversation !== id) continue;
      touched.add(write.put.id);
      // Older than the window: it comes with its page.
      const oldest = hasOlder ? sorted()[0] : undefined;
      if (oldest && !rows.has(write.put.id) && byOrder(write.put, oldest) < 0) continue;
      rows.set(write.put.id, write.put);
      hit = true;
    }
    if (hit) changed();
  });

  await loadOlder();
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
