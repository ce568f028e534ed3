import { removeMessages } from '../conversations/change.ts';
import { EngineError } from '../errors.ts';
import type { Draft, Model } from '../model.ts';
import type { SelfRow } from '../rows.ts';

/**
 * Takes back a message that waits, with all that waits to change it. Bytes that were made may be with the relay already,
 * whatever it has answered.
 *
 * @throws EngineError `too-late`
 */
export const cancelMessage = async (
  draft: Draft,
  model: Model,
  self: SelfRow,
  { conversation, id, now }: { conversation: string; id: string; now: number },
): Promise<void> => {
  const message = await draft.get('message', [conversation, id]);
  if (!message || message.from !== self.account) return;
  const rows = [...model.outbox.values()].filter(
    ({ conversation: of, content }) =>
      of === conversation &&
      ((content.kind === 'text' && content.id === id) || (content.kind === 'edit' && content.message === id)),
  );
  const isWaiting = message.status === 'waiting' || message.status === 'failed';
  const isUnderWay = rows.some(
    ({ envelopes, post, done, owed }) => envelopes || post || done || owed !== undefined,
  );
  if (!isWaiting || isUnderWay) throw new EngineError('too-late');
  for (const { seq } of rows) draft.remove('outbox', seq);
  await removeMessages(draft, model, conversation, [message], { me: self.account, now });
};
