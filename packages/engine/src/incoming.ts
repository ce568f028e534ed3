import type { ConversationId } from '@sotto/contract/ids';
import { toBase64url } from '@sotto/crypto/bytes';
import type { ChatMessage, Engine, Person } from './views.ts';

const ID_BYTES = 16;

/** A message of somebody else that has not been seen. */
export interface Incoming {
  conversation: ConversationId;
  from: Person;
  message: ChatMessage;
  /**
   * Writes into the conversation. The first, second … reply to a message leaves once, however often the message is handed
   * out. Rejects as Engine.send.
   */
  reply(text: string): Promise<void>;
}

/** The same for the same reply: what is there already is not sent again. */
const replyId = async (conversation: string, message: ChatMessage, number: number): Promise<string> => {
  const name = JSON.stringify(['sotto reply', conversation, message.from, message.id, number]);
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(name));
  return toBase64url(new Uint8Array(digest).subarray(0, ID_BYTES));
};

const incomingOf = (
  engine: Engine,
  conversation: ConversationId,
  from: Person,
  message: ChatMessage,
): Incoming => {
  let replies = 0;
  return {
    conversation,
    from,
    message,
    reply: async (text) =>
      engine.send(conversation, text, { id: await replyId(conversation, message, replies++) }),
  };
};

const isOver = (engine: Engine): boolean => ['removed', 'stopped'].includes(engine.getSnapshot().phase);

/** Resolves when the snapshot is no more `seen`. */
const changed = (engine: Engine, seen: unknown): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (engine.getSnapshot() === seen) return;
      stop();
      resolve();
    };
    const stop = engine.subscribe(look);
    look();
  });

/** As it is now: much may have happened since the last message was handed out. */
const isWaiting = (engine: Engine, id: ConversationId): boolean =>
  engine.getSnapshot().conversations.some((one) => one.id === id && one.unread > 0 && !one.blocked);

const firstUnread = async (engine: Engine, id: ConversationId): Promise<ChatMessage | undefined> => {
  const view = await engine.openConversation(id, { at: 'unread' });
  const message = view?.getSnapshot().messages.find(({ unread, mine }) => unread && !mine);
  view?.close();
  return message;
};

/**
 * Every message of others that has not been seen, the first of a conversation first and one of each in turn, for as long as
 * the engine runs. A message counts as seen when the next one is asked for: one that was being dealt with when the process
 * ended is handed out again, and its replies are not sent twice. What has no text (deleted, of a later version) is passed
 * over.
 *
 * For one consumer. What was read on another device of the account does not come.
 */
export const incoming = async function* (engine: Engine): AsyncGenerator<Incoming, void, void> {
  while (!isOver(engine)) {
    const snapshot = engine.getSnapshot();
    let found = false;
    for (const { id, peer } of snapshot.conversations) {
      if (!isWaiting(engine, id)) continue;
      const message = await firstUnread(engine, id);
      if (!message) continue;
      if (message.text.trim() !== '') yield incomingOf(engine, id, peer, message);
      if (isOver(engine)) return;
      await engine.markRead(id, [message.id]);
      found = true;
    }
    if (!found) await changed(engine, snapshot);
  }
};
