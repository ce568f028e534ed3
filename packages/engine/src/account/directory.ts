import { RelayError } from '@sotto/contract/errors';
import type { AccountId } from '@sotto/contract/ids';
import type { AccountResponse } from '@sotto/contract/rest/accounts';
import type { Clock } from '../clock.ts';
import type { Model } from '../model.ts';
import type { Transport } from '../ports.ts';
import type { ContactRow } from '../rows.ts';
import { putContact } from '../conversations/draft.ts';
import { verifyAccount } from './contact-keys.ts';
import { signerOf } from './signer.ts';

/** Whom the relay knows, as far as their own signatures bear it out. */
export interface Directory {
  /**
   * Fetches and verifies the keys of an account and keeps them with the contact.
   *
   * @throws RelayError, CryptoError
   */
  refresh(account: string): Promise<ContactRow>;
  /** Verifies an answer for `account` and keeps it. */
  learn(response: AccountResponse, account: string): Promise<ContactRow>;
}

export const createDirectory = (model: Model, transport: Transport, clock: Clock): Directory => {
  const learn: Directory['learn'] = async (response, account) => {
    // Held against what is known at the moment of the commit: an older answer may come later than a newer one.
    return model.change(async (draft) => {
      const known = await draft.get('contact', account);
      const before = known ?? { chain: [], devices: [] };
      const { byRecovery, ...keys } = await verifyAccount(response, account, before, clock.now());
      const row: ContactRow = {
        verified: false,
        introduced: false,
        ...known,
        account,
        // Of an account whose chain is known the handle is, too: the relay cannot give it another.
        handle: known && known.chain.length > 0 ? known.handle : response.handle,
        ...keys,
        // Whoever has the recovery code could have taken the account over: to be confirmed again.
        ...(byRecovery && { verified: false }),
      };
      putContact(draft, row);
      return row;
    });
  };
  return {
    learn,
    async refresh(account) {
      if (!model.self) throw new RelayError('unauthenticated');
      const response = await transport.account(signerOf(model.self), account as AccountId);
      return learn(response, account);
    },
  };
};
