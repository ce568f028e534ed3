import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { CryptoError } from '@sotto/crypto/errors';
import { matchesSafetyQr, safetyNumber, safetyQr } from '@sotto/crypto/safety-number';
import type { Desk } from '../conversations/commands.ts';
import { putContact } from '../conversations/draft.ts';
import { EngineError } from '../errors.ts';
import type { Engine } from '../views.ts';

type Verifying = Pick<Engine, 'safety' | 'compareCode' | 'setVerified'>;

/** How two people find out that the relay has not put somebody between them. */
export const createVerifying = ({ model, command }: Desk): Verifying => {
  /** One's own account and the peer's. */
  const pairOf = (id: string): [mine: string, theirs: string] => {
    const { self } = model;
    if (!self) throw new EngineError('not-ready');
    if (id === self.account) throw new EngineError('yourself');
    if (model.conversations.get(id)?.group) throw new EngineError('is-group');
    if (!model.contacts.has(id)) throw new EngineError('no-conversation');
    return [self.account, id];
  };

  const setVerified: Verifying['setVerified'] = async (id, verified) => {
    pairOf(id);
    await command(async (draft) => {
      const contact = await draft.get('contact', id);
      if (contact && contact.verified !== verified) putContact(draft, { ...contact, verified });
    });
  };

  return {
    async safety(id) {
      const pair = pairOf(id);
      return { number: await safetyNumber(...pair), code: toBase64url(safetyQr(...pair)) };
    },

    async compareCode(id, scanned) {
      const pair = pairOf(id);
      try {
        if (!matchesSafetyQr(...pair, fromBase64url(scanned))) return 'other';
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error;
        return error.code === 'unsupported' ? 'newer' : 'no-code';
      }
      await setVerified(id, true);
      return 'same';
    },

    setVerified,
  };
};
