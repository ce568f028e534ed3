import { RelayError } from '@sotto/contract/errors';
import type { AccountId, ConversationId, InviteId, InviteSecret } from '@sotto/contract/ids';
import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { sha256 } from '@sotto/crypto/keys';
import type { Desk } from '../conversations/commands.ts';
import { directConversation, putContact } from '../conversations/draft.ts';
import { contactOf } from '../conversations/person.ts';
import { shareContact } from '../devices/hand-over.ts';
import { EngineError } from '../errors.ts';
import type { Draft } from '../model.ts';
import type { Transport } from '../ports.ts';
import { randomId } from '../random-id.ts';
import type { SelfRow } from '../rows.ts';
import type { Engine } from '../views.ts';
import type { Directory } from './directory.ts';
import { signerOf } from './signer.ts';

type Acquaintance = Pick<
  Engine,
  'relay' | 'mailCode' | 'checkInvite' | 'createInvite' | 'addContact' | 'openDirect'
>;

/** How people come to know each other. */
export const createAcquaintance = (
  { model, clock, command }: Desk,
  { transport, directory }: { transport: Transport; directory: Directory },
): Acquaintance => {
  /** @throws EngineError not-ready */
  const ready = (): SelfRow => {
    const { self } = model;
    if (!self || self.registering) throw new EngineError('not-ready');
    return self;
  };

  /** Keeps what a link says, and holds it against the account where the relay can be asked. */
  const fromLink = async (
    who: Extract<Parameters<Engine['addContact']>[0], { account: AccountId }>,
  ): Promise<void> => {
    const { account, handle, token } = who;
    await command(async (draft) => {
      const known = await draft.get('contact', account);
      const fresh = { handle, chain: [], devices: [], introduced: false };
      const row = { ...fresh, ...known, account, verified: true };
      putContact(draft, token === undefined ? row : { ...row, token });
    });
    const before = model.contacts.get(account)!;
    if (before.chain.length > 0) return;
    // A link may name anybody beside its account. What cannot be found out now, the first message finds out.
    const after = await directory.refresh(account).catch((error: unknown) => {
      if (error instanceof RelayError && error.code === 'account-unknown') throw error;
      return before;
    });
    if (after.misnamed) throw new EngineError('other-handle');
  };

  /** Who was added under the handle that they have may be written to, whatever a link said before. */
  const called = async (draft: Draft, account: string, handle: string): Promise<void> => {
    const contact = await draft.get('contact', account);
    if (!contact?.misnamed || contact.handle !== handle) return;
    const { misnamed: _, ...rest } = contact;
    putContact(draft, rest);
  };

  return {
    relay: () => transport.relay(),
    mailCode: (address) => transport.mailCode(address),

    async checkInvite(invite) {
      return (await transport.checkInvite(invite)).state;
    },

    async createInvite() {
      const self = ready();
      const invite = randomId() as InviteSecret;
      const id = toBase64url(await sha256(fromBase64url(invite))) as InviteId;
      const { expiresAt } = await transport.createInvite(signerOf(self), id);
      return { link: { invite, contact: contactOf(self) }, expiresAt };
    },

    async addContact(who) {
      const self = ready();
      if (who.handle === self.handle || ('account' in who && who.account === self.account)) {
        throw new EngineError('yourself');
      }
      let account: string;
      if ('account' in who) {
        ({ account } = who);
        await fromLink(who);
      } else {
        const response = await transport.handle(signerOf(self), who.handle);
        ({ account } = response);
        await directory.learn(response, account);
      }
      await command(async (draft, self) => {
        if (!(await draft.get('conversation', account))) {
          const contact = await draft.get('contact', account);
          if (contact) shareContact(draft, self, contact);
        }
        await called(draft, account, who.handle);
        await directConversation(draft, account, clock.now());
      });
      return account as ConversationId;
    },

    async openDirect(account) {
      await command(async (draft, self) => {
        if (account === (self.account as AccountId)) throw new EngineError('yourself');
        const contact = await draft.get('contact', account);
        if (!contact) throw new EngineError('no-member');
        if (!(await draft.get('conversation', account))) shareContact(draft, self, contact);
        await directConversation(draft, account, clock.now());
      });
      return account as unknown as ConversationId;
    },
  };
};
