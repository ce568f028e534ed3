import type { Clock } from '../clock.ts';
import { EngineError } from '../errors.ts';
import type { Draft, Model } from '../model.ts';
import type { ConversationRow, MessageRow, SelfRow } from '../rows.ts';

/** What the commands of conversations stand on. */
export interface Desk {
  model: Model;
  clock: Clock;
  /** Runs a change when there is an account, then lets what it put into the outbox go. @throws EngineError, StoreError */
  command<R>(make: (draft: Draft, self: SelfRow) => Promise<R>): Promise<R>;
}

/** @throws EngineError no-conversation */
export const conversationOf = async (draft: Draft, id: string): Promise<ConversationRow> => {
  const row = await draft.get('conversation', id);
  if (!row) throw new EngineError('no-conversation');
  return row;
};

/** @throws EngineError no-message */
export const messageOf = async (draft: Draft, conversation: string, id: string): Promise<MessageRow> => {
  const row = await draft.get('message', [conversation, id]);
  if (!row) throw new EngineError('no-message');
  return row;
};
