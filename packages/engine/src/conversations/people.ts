import type { ConversationId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { cleanName } from '../clean-text.ts';
import { EngineError } from '../errors.ts';
import type { Draft, Model } from '../model.ts';
import type { Engine } from '../views.ts';
import { sayBlocked } from './blocks.ts';
import { removeMessages } from './change.ts';
import { conversationOf, type Desk } from './commands.ts';
import { directConversation, putConversation } from './draft.ts';
import { rowDropped } from '../outbox/dropped.ts';
import { messageFailed } from './outcome.ts';
import { introduce } from './outgoing.ts';
import { takeBackSeen } from './presence.ts';
import { answered } from './request.ts';
import { putSettings, settingsOf, shareProfile, withNewToken } from './settings.ts';

/** Messages taken away by one change. */
const PAGE = 200;

type People = Pick<
  Engine,
  'accept' | 'decline' | 'block' | 'unblock' | 'noteToSelf' | 'setProfile' | 'setSettings'
>;

/** Takes away the messages of a conversation; true when none is left. */
const emptyOne = async (
  draft: Draft,
  model: Model,
  id: string,
  at: { me: string; now: number },
): Promise<boolean> => {
  const rows = await model.store.messages({ conversation: id }, { limit: PAGE });
  await removeMessages(draft, model, id, rows, at);
  return rows.length < PAGE;
};

/** Says at the relay that this account is in a group by its own will, or is not. @throws RelayError */
interface Belonging {
  join: (id: string) => Promise<void>;
  leave: (id: string) => Promise<void>;
}

/** Whom one talks to, and what they get to know. */
export const createPeople = ({ model, clock, command }: Desk, { join, leave }: Belonging): People => ({
  async accept(id) {
    const { group, request } = model.conversations.get(id) ?? {};
    if (group && request) await join(id);
    await command(async (draft, self) => {
      const conversation = await conversationOf(draft, id);
      if (!conversation.request || conversation.group) return;
      if (self.blocked?.includes(id)) throw new EngineError('blocked');
      putConversation(draft, await answered(draft, model.store, self, conversation));
      await introduce(draft, self, id);
    });
  },

  async decline(id) {
    const { group, request } = model.conversations.get(id) ?? {};
    if (group && request) await leave(id);
    for (let left = true; left;) {
      left = await command(async (draft, self) => {
        const conversation = await draft.get('conversation', id);
        if (!conversation) return false;
        if (!conversation.request) throw new EngineError('no-request');
        const done = await emptyOne(draft, model, id, { me: self.account, now: clock.now() });
        if (done) draft.remove('conversation', id);
        return !done;
      });
    }
  },

  async block(id) {
    await command(async (draft, self) => {
      const known = await draft.get('conversation', id);
      if (known?.group) throw new EngineError('is-group');
      if (id === self.account) throw new EngineError('yourself');
      if (!known && !(await draft.get('contact', id))) throw new EngineError('no-conversation');
      const { blocked = [] } = self;
      if (blocked.includes(id)) return;
      if (blocked.length >= LIMITS.blockedAccounts) throw new EngineError('too-many-blocked');
      await directConversation(draft, id, clock.now(), true);
      // Who has the old token is no longer let in with it.
      const said = sayBlocked(self, id, true, clock.now());
      const blocking = putSettings(draft, withNewToken(said), clock.now());
      // Keys of groups that both are in go on: what is said there is for everybody.
      const dropped = [...model.outbox.values()].filter(
        (row) => row.conversation === id && !row.envelopes && !row.hand,
      );
      for (const [index, row] of dropped.entries()) {
        draft.remove('outbox', row.seq);
        await rowDropped(draft, row, { self: blocking });
        const at = { order: clock.now() + index, settled: dropped.length };
        await messageFailed(draft, model.store, self, row, 'forbidden', at);
      }
    });
  },

  async unblock(id) {
    await command(async (draft, self) => {
      if (!self.blocked?.includes(id)) return;
      putSettings(draft, sayBlocked(self, id, false, clock.now()), clock.now());
      const contact = await draft.get('contact', id);
      // What they have lets them in no more: the next message brings what does.
      if (contact) draft.put('contact', { ...contact, introduced: false }, id);
    });
  },

  async noteToSelf() {
    return command(async (draft, { account }) => {
      await directConversation(draft, account, clock.now());
      return account as unknown as ConversationId;
    });
  },

  async setProfile({ name }) {
    const called = cleanName(name);
    if (called === '' || called.length > LIMITS.nameCharacters) throw new EngineError('bad-name');
    await command(async (draft, self) => {
      if (self.name !== called)
        shareProfile(draft, model, putSettings(draft, { ...self, name: called }, clock.now()));
    });
  },

  async setSettings(changed) {
    await command(async (draft, self) => {
      const before = settingsOf(self);
      const next = { ...before, ...changed };
      if (JSON.stringify(next) === JSON.stringify(before)) return;
      const chosen = { ...self, settings: { ...next, sentAt: self.settings?.sentAt ?? 0 } };
      const after = putSettings(draft, chosen, clock.now());
      takeBackSeen(draft, model, { before: self, after });
    });
  },
});
