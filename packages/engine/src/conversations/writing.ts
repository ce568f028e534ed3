import type { EditContent, ReactionContent, TextContent } from '@sotto/contract/content';
import type { MessageId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { POLICY } from '@sotto/crypto/membership-operation';
import { wellFormed } from '../clean-text.ts';
import { timeAfter } from '../clock.ts';
import { enqueueSync } from '../devices/sync.ts';
import { EngineError } from '../errors.ts';
import type { Draft } from '../model.ts';
import { randomId } from '../random-id.ts';
import type { ConversationRow, MessageRow, SelfRow } from '../rows.ts';
import type { Engine, Mention } from '../views.ts';
import { changeMessage, isUnsent, mark, removeMessages } from './change.ts';
import { conversationOf, type Desk, messageOf } from './commands.ts';
import { contentsOf } from './content.ts';
import { putConversation, putMessage } from './draft.ts';
import { place, UNSENT_ORDER, withLast } from './order.ts';
import { introduce, post } from './outgoing.ts';
import { tellRemoval } from './removal.ts';
import { answered } from './request.ts';

type Mentions = NonNullable<TextContent['mentions']>;

/**
 * A text as it goes out: well-formed, without space around it, and who is named in it, moved along.
 *
 * @throws EngineError empty, too-long
 */
const cleanText = (
  text: string,
  mentions: readonly Mention[] = [],
): { text: string; mentions?: Mentions } => {
  const formed = wellFormed(text);
  const whole = formed.trim();
  if (whole === '') throw new EngineError('empty');
  if (whole.length > LIMITS.textCharacters) throw new EngineError('too-long');
  const cut = formed.length - formed.trimStart().length;
  const moved = mentions
    .map((mention) => ({ ...mention, start: mention.start - cut }))
    .filter(({ start, length }) => start >= 0 && length > 0 && start + length <= whole.length)
    .slice(0, LIMITS.mentions);
  return { text: whole, ...(moved.length > 0 && { mentions: moved }) };
};

/**
 * Who one may write to: everybody but those who are blocked, and the groups that one is in.
 *
 * @throws EngineError blocked, not-joined, group-stopped, not-a-member
 */
const checkOpen = (self: SelfRow, { id, group, request }: ConversationRow): void => {
  if (self.blocked?.includes(id)) throw new EngineError('blocked');
  if (!group) return;
  if (request) throw new EngineError('not-joined');
  if (group.stopped) throw new EngineError('group-stopped');
  if (!group.role) throw new EngineError('not-a-member');
};

/** In some groups admins alone write. @throws EngineError not-allowed */
const checkMayTalk = ({ group }: ConversationRow): void => {
  const isClosed = ((group?.policy ?? 0) & POLICY.adminsPost) !== 0;
  if (isClosed && group?.role === 'member') throw new EngineError('not-allowed');
};

/** Whether one may take back what somebody else wrote. */
const deletesAll = ({ group }: ConversationRow): boolean =>
  ((group?.policy ?? 0) & POLICY.adminsDelete) !== 0 && ['admin', 'owner'].includes(group?.role ?? '');

type Unplaced = Omit<MessageRow, 'order' | 'status' | 'at'>;

/** A message as if it had been written at `sentAt`, and changed after that. */
const writtenAt = (message: Unplaced, sentAt: number): Unplaced => {
  const { edits } = message;
  if (!edits) return { ...message, sentAt };
  const moved = edits.map((version, at) => ({ ...version, sentAt: sentAt + at }));
  return { ...message, sentAt, edits: moved, edited: sentAt + edits.length };
};

/** Stores a new message of one's own where it stands until it is accepted; a note to oneself is there at once. */
const putOwn = (
  draft: Draft,
  self: SelfRow,
  conversation: ConversationRow,
  text: Unplaced,
  now: number,
): void => {
  const { device } = self;
  // Later than all before, whatever the clock says: by that others see which of them was overtaken.
  const message = writtenAt(text, timeAfter(now, [conversation.sent?.[device]]));
  const [content, ...more] = contentsOf(message as MessageRow);
  const seq = post(draft, self, conversation.id, content!);
  let row: MessageRow;
  let { floors } = conversation;
  if (seq === undefined) {
    const placed = place(conversation, device, now);
    ({ floors } = placed);
    const goes = message.timer !== undefined && { expiresAt: now + message.timer * 1000 };
    row = { ...message, order: placed.order, at: now, status: 'sent', ...goes };
    enqueueSync(draft, self, conversation.id, content!, { at: placed.order });
  } else row = { ...message, order: UNSENT_ORDER + seq, status: 'waiting', unindexed: 1 };
  for (const edit of more) post(draft, self, conversation.id, edit);
  putMessage(draft, row);
  const { timerChosen: _, ...rest } = conversation;
  const sent = { ...rest.sent, [device]: message.edited ?? message.sentAt };
  putConversation(draft, withLast({ ...rest, floors, sent }, row, self.account));
};

/** Says something about a message to whom it is for. */
const tell = (
  draft: Draft,
  self: SelfRow,
  id: string,
  content: EditContent | ReactionContent | Extract<ReturnType<typeof contentsOf>[number], { kind: 'delete' }>,
): void => {
  if (post(draft, self, id, content) === undefined) enqueueSync(draft, self, id, content);
};

type Writing = Pick<Engine, 'send' | 'edit' | 'react' | 'deleteForEveryone' | 'deleteForMe' | 'retry'>;

/** Everything that puts words into a conversation, changes them or takes them back. */
export const createWriting = (desk: Desk): Writing => {
  const { model, clock, command } = desk;

  /** Later than every word on the message before, whatever the clock says. */
  const after = (times: (number | undefined)[]): number => timeAfter(clock.now(), times);

  return {
    async send(id, text, { id: message = randomId(), reply, mentions, forwarded } = {}) {
      const words = cleanText(text, mentions);
      await command(async (draft, self) => {
        const known = await conversationOf(draft, id);
        const key: [string, string] = [id, message];
        const [there, gone] = await Promise.all([draft.get('message', key), draft.get('gone', key)]);
        if (there ?? gone) return;
        checkOpen(self, known);
        checkMayTalk(known);
        await introduce(draft, self, id);
        const conversation = await answered(draft, model.store, self, known);
        const quoted = reply === undefined ? undefined : await messageOf(draft, id, reply);
        const row = {
          conversation: id,
          id: message,
          from: self.account,
          device: self.device,
          sentAt: clock.now(),
          ...words,
          unindexed: 1 as const,
          ...(quoted && { reply: { author: quoted.from, id: quoted.id } }),
          ...(forwarded && { forwarded: true as const }),
          ...(conversation.timer !== undefined && { timer: conversation.timer }),
        };
        putOwn(draft, self, conversation, row, clock.now());
      });
    },

    async edit(id, message, text, { mentions } = {}) {
      const words = cleanText(text, mentions);
      await command(async (draft, self) => {
        const conversation = await conversationOf(draft, id);
        const row = await messageOf(draft, id, message);
        checkOpen(self, conversation);
        checkMayTalk(conversation);
        if (row.from !== self.account || row.deleted || row.newer || row.note)
          throw new EngineError('not-yours');
        if (row.text === words.text && JSON.stringify(row.mentions) === JSON.stringify(words.mentions))
          return;
        const edit = { ...words, sentAt: after([row.sentAt, row.edited]) };
        const at = { me: self.account, now: clock.now() };
        await mark(draft, conversation, { author: row.from, id: row.id }, { edits: [edit] }, at);
        // One that failed goes out whole when it is tried again.
        if (row.status !== 'failed') {
          tell(draft, self, id, { kind: 'edit', message: message as MessageId, ...edit });
        }
      });
    },

    async react(id, message, emoji) {
      if (emoji !== null && (emoji === '' || emoji.length > LIMITS.emojiCharacters)) {
        throw new EngineError('bad-emoji');
      }
      await command(async (draft, self) => {
        const conversation = await conversationOf(draft, id);
        const row = await messageOf(draft, id, message);
        checkOpen(self, conversation);
        if (row.note) throw new EngineError('not-yours');
        const before = row.reactions?.[self.account];
        if (row.deleted || (before?.emoji ?? null) === emoji) return;
        if (['failed', 'waiting'].includes(row.status)) throw new EngineError('not-sent');
        await introduce(draft, self, id);
        const open = await answered(draft, model.store, self, conversation);
        if (open !== conversation) putConversation(draft, open);
        const reaction = { emoji, sentAt: after([before?.sentAt]) };
        const ref = { author: row.from, id: row.id } as ReactionContent['to'];
        const at = { me: self.account, now: clock.now() };
        await mark(draft, open, ref, { reactions: { [self.account]: reaction } }, at);
        tell(draft, self, id, { kind: 'reaction', to: ref, ...reaction });
      });
    },

    async deleteForEveryone(id, messages) {
      await command(async (draft, self) => {
        const me = self.account;
        for (const message of messages) {
          const conversation = await conversationOf(draft, id);
          const row = await messageOf(draft, id, message);
          if (row.note || (row.from !== me && !deletesAll(conversation))) throw new EngineError('not-yours');
          if (row.deleted) continue;
          if (isUnsent(model, row)) {
            // Nobody has it.
            await removeMessages(draft, model, id, [row], { me, now: clock.now() });
            continue;
          }
          const deleted = { by: me, sentAt: after([row.sentAt, row.edited]) };
          await mark(
            draft,
            conversation,
            { author: row.from, id: message },
            { deleted },
            { me, now: clock.now() },
          );
          const now = await messageOf(draft, id, message);
          for (const content of contentsOf(now))
            if (content.kind === 'delete') tell(draft, self, id, content);
        }
      });
    },

    async deleteForMe(id, messages) {
      await command(async (draft, self) => {
        const rows: MessageRow[] = [];
        for (const message of messages) {
          const row = await draft.get('message', [id, message]);
          if (row) rows.push(row);
        }
        await removeMessages(draft, model, id, rows, { me: self.account, now: clock.now() });
        const left = rows.filter((row) => !isUnsent(model, row));
        tellRemoval(draft, self, id, left);
      });
    },

    async retry(id, message) {
      await command(async (draft, self) => {
        const conversation = await conversationOf(draft, id);
        const row = await draft.get('message', [id, message]);
        if (!row || row.problem === undefined) return;
        checkOpen(self, conversation);
        await introduce(draft, self, id);
        const { problem: _, order, status, ...rest } = row;
        if (status === 'failed') return putOwn(draft, self, conversation, rest, clock.now());
        for (const content of contentsOf(row).slice(row.deleted ? 0 : 1)) post(draft, self, id, content);
        changeMessage(draft, conversation, row, { ...rest, order, status }, self.account);
      });
    },
  };
};
