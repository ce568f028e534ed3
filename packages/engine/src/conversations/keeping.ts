import { LIMITS } from '@sotto/contract/limits';
import { wellFormed } from '../clean-text.ts';
import { EngineError } from '../errors.ts';
import type { ConversationRow } from '../rows.ts';
import type { Engine } from '../views.ts';
import { changeMessage } from './change.ts';
import { conversationOf, type Desk, messageOf } from './commands.ts';
import { putConversation } from './draft.ts';
import { markSeen } from './reading.ts';

type Keeping = Pick<Engine, 'markRead' | 'setDraft' | 'setTimer' | 'setFlags' | 'star'>;

/** What a person keeps of a conversation on this device. */
export const createKeeping = ({ model, clock, command }: Desk): Keeping => {
  const change = (id: string, make: (row: ConversationRow) => ConversationRow): Promise<void> =>
    command(async (draft) => {
      const before = await conversationOf(draft, id);
      const after = make(before);
      if (after !== before) putConversation(draft, after);
    });

  return {
    async markRead(id, which) {
      if ((model.conversations.get(id)?.unread ?? 0) === 0) return;
      await command(async (draft, self) => {
        const conversation = await draft.get('conversation', id);
        const at = { which, now: clock.now() };
        if (conversation) await markSeen(draft, model.store, self, conversation, at);
      });
    },

    setDraft(id, text, reply) {
      const words = wellFormed(text).slice(0, 2 * LIMITS.textCharacters);
      return change(id, (row) => {
        if ((row.draft?.text ?? '') === words && row.draft?.reply === reply) return row;
        const { draft: _, ...rest } = row;
        if (words === '' && reply === undefined) return rest;
        return { ...rest, draft: { text: words, ...(reply !== undefined && { reply }) } };
      });
    },

    async setTimer(id, seconds) {
      const isTime = Number.isSafeInteger(seconds) && seconds! >= 1 && seconds! <= LIMITS.timerSeconds;
      if (seconds !== undefined && !isTime) throw new EngineError('bad-timer');
      await change(id, (row) => {
        if (row.timer === seconds) return row;
        const { timer: _, ...rest } = row;
        return { ...rest, timerChosen: true, ...(seconds !== undefined && { timer: seconds }) };
      });
    },

    setFlags: (id, { muted, pinned, archived }) =>
      change(id, (row) => {
        const next = { ...row };
        if (muted !== undefined) {
          if (muted > clock.now()) next.muted = muted;
          else delete next.muted;
        }
        if (pinned === true) next.pinned ??= clock.now();
        if (pinned === false) delete next.pinned;
        if (archived === true) next.archived = true;
        if (archived === false) delete next.archived;
        return next;
      }),

    async star(id, message, starred) {
      await command(async (draft, self) => {
        const conversation = await conversationOf(draft, id);
        const row = await messageOf(draft, id, message);
        if (row.deleted || (row.starred === 1) === starred) return;
        const { starred: _, ...rest } = row;
        const next = { ...rest, ...(starred && { starred: 1 as const }) };
        changeMessage(draft, conversation, row, next, self.account);
      });
    },
  };
};
