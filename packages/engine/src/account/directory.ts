import { RelayError } from '@sotto/contract/errors';
import type { AccountId } from '@sotto/contract/ids';
import type { AccountResponse } from '@sotto/contract/rest/accounts';
import { equal } from '@sotto/crypto/bytes';
import { CryptoError } from '@sotto/crypto/errors';
import type { Clock } from '../clock.ts';
import { putContact } from '../conversations/draft.ts';
import { followDevices } from '../groups/devices.ts';
import { handOver } from '../devices/hand-over.ts';
import type { Draft, Model } from '../model.ts';
import type { Transport } from '../ports.ts';
import type { AccountKeys, ContactRow, SelfRow } from '../rows.ts';
import { verifyAccount } from './contact-keys.ts';
import { lockOut } from './delivery.ts';
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
  /** The same without keeping anything of who is no contact yet. */
  look(account: string): Promise<ContactRow>;
  /** Fetches and verifies one's own account: the other devices of it. @throws RelayError, CryptoError */
  refreshSelf(): Promise<SelfRow>;
}

/** What says that the relay shows another chain than the one known here, as opposed to an old or a broken answer. */
const FORKS: readonly string[] = ['chain-fork', 'chain-invalid', 'chain-gap'];

const isFork = (error: unknown, { chain }: AccountKeys): boolean =>
  chain.length > 0 && error instanceof CryptoError && FORKS.includes(error.code);

/** The relay has a sealing key that this device signed and that this profile never made. */
const copiedOf = (self: SelfRow, keys: AccountKeys): SelfRow['copied'] => {
  const named = keys.devices.find(({ device }) => device === self.device)?.sealing;
  const mine = self.sealing.find(({ id }) => id === named?.id);
  const isMine =
    named === undefined || (mine ? equal(mine.publicKey, named.publicKey) : named.id < self.sealing[0]!.id);
  return isMine || named.id <= (self.overtaken ?? 0) ? self.copied : { sealing: named.id };
};

/** No session with a device that was revoked is kept. */
const dropRevoked = (
  draft: Draft,
  account: string,
  { revoked = [] }: AccountKeys,
  before: AccountKeys,
): void => {
  for (const device of revoked) {
    if (!before.revoked?.includes(device)) draft.remove('peer', [account, device]);
  }
};

export const createDirectory = (model: Model, transport: Transport, clock: Clock): Directory => {
  /** Commits also what has to be told with the error, and only then throws. */
  const change = async <R>(make: (draft: Draft) => Promise<R | Error>): Promise<R> => {
    const result = await model.change(make);
    if (result instanceof Error) throw result;
    return result;
  };

  const verified = async (
    response: AccountResponse,
    account: string,
    known: ContactRow | undefined,
    now: number,
  ): Promise<ContactRow> => {
    const before = known ?? { chain: [], devices: [] };
    const keys = await verifyAccount(response, account, before, now);
    const isMisnamed = known?.chain.length === 0 && known.handle !== response.handle;
    return {
      verified: false,
      introduced: false,
      ...known,
      account,
      // Of an account whose chain is known the handle is, too: the relay cannot give it another.
      handle: known && known.chain.length > 0 ? known.handle : response.handle,
      ...(isMisnamed && { misnamed: true }),
      ...keys,
      // Whoever has the recovery code could have taken the account over: to be confirmed again.
      ...(keys.changed === 'recovered' && { verified: false }),
    };
  };

  const fetch = (account: string): Promise<AccountResponse> => {
    if (!model.self) throw new RelayError('unauthenticated');
    return transport.account(signerOf(model.self), account as AccountId);
  };

  // Held against what is known at the moment of the commit: an older answer may come later than a newer one.
  const learn: Directory['learn'] = (response, account) =>
    change(async (draft) => {
      const known = await draft.get('contact', account);
      const now = clock.now();
      try {
        const row = await verified(response, account, known, now);
        dropRevoked(draft, account, row, known ?? row);
        const change = { before: known ?? row, after: row, isOwn: false, now };
        await followDevices(draft, model, account, change);
        putContact(draft, row);
        return row;
      } catch (error) {
        if (!known || !isFork(error, known)) throw error;
        putContact(draft, { ...known, changed: 'forked' });
        return error as Error;
      }
    });

  return {
    learn,
    refresh: async (account) => learn(await fetch(account), account),
    look: async (account) =>
      model.contacts.has(account)
        ? learn(await fetch(account), account)
        : verified(await fetch(account), account, undefined, clock.now()),
    async refreshSelf() {
      const response = await fetch(model.self?.account ?? '');
      return change(async (draft) => {
        const self = (await draft.get('self', 'self'))!;
        const now = clock.now();
        try {
          const keys = await verifyAccount(response, self.account, self, now);
          const copied = copiedOf(self, keys);
          dropRevoked(draft, self.account, keys, self);
          const change = { before: self, after: keys, isOwn: true, now };
          await followDevices(draft, model, self.account, change);
          const row = handOver(draft, model, { ...self, ...keys, ...(copied && { copied }) });
          draft.put('self', row, 'self');
          return lockOut(draft, self, row, now);
        } catch (error) {
          if (!isFork(error, self)) throw error;
          draft.put('self', { ...self, changed: 'forked' }, 'self');
          return error as Error;
        }
      });
    },
  };
};
