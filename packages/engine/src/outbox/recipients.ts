import { RelayError } from '@sotto/contract/errors';
import { CryptoError } from '@sotto/crypto/errors';
import { SEALING_ROTATION } from '@sotto/crypto/limits';
import type { Directory } from '../account/directory.ts';
import type { Clock } from '../clock.ts';
import { putContact } from '../conversations/draft.ts';
import type { Draft, Model } from '../model.ts';
import type { Transport } from '../ports.ts';
import type { AccountKeys, DeviceKeys, DeviceTrouble, SelfRow, SendProblem } from '../rows.ts';
import { type Bundles, fetchBundles, type Recipient } from './encrypt.ts';

/** Whom rows go to and what is needed to encrypt for them. */
export interface Ready {
  recipient: Recipient;
  bundles: Bundles;
}

interface Parts {
  model: Model;
  directory: Directory;
  transport: Transport;
  clock: Clock;
}

/** Whether nothing may be sent to an account until the person agrees, or until what was heard of its chain was looked up. */
export const isStopped = (model: Model, account: string): boolean => {
  const keys = model.self?.account === account ? model.self : model.contacts.get(account);
  return keys?.changed !== undefined || keys?.doubts !== undefined;
};

const isReachable = ({ devices }: Recipient): boolean => devices.some(({ sealing }) => sealing);

export const createRecipients = ({ model, directory, transport, clock }: Parts) => {
  const fresh = async (account: string): Promise<Recipient | SendProblem | undefined> => {
    const known = model.contacts.get(account);
    try {
      if (account === model.self?.account) return await directory.refreshSelf();
      const contact = await directory.refresh(account);
      return isReachable(contact) ? contact : 'device-unknown';
    } catch (error) {
      // A forked chain stops the conversation; an old one is the relay's to put right.
      if (error instanceof CryptoError) {
        const waits = isStopped(model, account) || error.code === 'chain-rollback';
        return waits ? undefined : 'keys-invalid';
      }
      if (!(error instanceof RelayError)) throw error;
      if (error.code === 'account-unknown') return error.code;
      // Everything else speaks of this device or of the moment, not of the recipient.
      return known && known.fetchedAt !== 0 && isReachable(known) ? known : undefined;
    }
  };

  /** The keys to encrypt for; a problem when there are none; undefined when it is not known yet. */
  const keysOf = (self: SelfRow, account: string): Promise<Recipient | SendProblem | undefined> => {
    const known: Recipient | undefined = account === self.account ? self : model.contacts.get(account);
    const isFresh = clock.now() < (known?.fetchedAt ?? 0) + SEALING_ROTATION;
    return known && isFresh && isReachable(known) ? Promise.resolve(known) : fresh(account);
  };

  return {
    /** Somebody whose keys are here, as far as they are good without a word from the relay. */
    known(self: SelfRow, account: string): Recipient | undefined {
      const recipient: Recipient | undefined = account === self.account ? self : model.contacts.get(account);
      const isFresh = clock.now() < (recipient?.fetchedAt ?? 0) + SEALING_ROTATION;
      const isTheirs = recipient?.changed === undefined && !model.contacts.get(account)?.misnamed;
      return recipient && isFresh && isTheirs && isReachable(recipient) ? recipient : undefined;
    },
    /** What is needed for an account; a problem; undefined when not known yet. */
    async readyFor(self: SelfRow, account: string): Promise<Ready | SendProblem | undefined> {
      const recipient = await keysOf(self, account);
      if (recipient === undefined || typeof recipient === 'string') return recipient;
      if (model.contacts.get(account)?.misnamed) return 'other-handle';
      // What was just learned may be that nothing is to be sent.
      if (recipient.changed !== undefined) return undefined;
      try {
        const bundles = await fetchBundles(model.store, transport, self, recipient, clock.now());
        return { recipient, bundles };
      } catch (error) {
        if (error instanceof RelayError) return undefined;
        throw error;
      }
    },
  };
};

/** Changes what is kept of an account's devices, if that is any change. */
const putKeys = async (
  draft: Draft,
  account: string,
  change: <K extends AccountKeys>(keys: K) => K,
): Promise<void> => {
  const self = await draft.get('self', 'self');
  if (self?.account === account) return draft.put('self', change(self), 'self');
  const contact = await draft.get('contact', account);
  if (contact) putContact(draft, change(contact));
};

/** Says of each device that was tried what stood in the way, or that nothing does any more. */
export const noteTroubles = async (
  draft: Draft,
  keys: Recipient,
  tried: readonly string[],
  troubles: ReadonlyMap<string, DeviceTrouble>,
): Promise<void> => {
  const isNews = ({ device, trouble }: DeviceKeys) =>
    tried.includes(device) && trouble !== troubles.get(device);
  if (!keys.devices.some(isNews)) return;
  await putKeys(draft, keys.account, (latest) => ({
    ...latest,
    devices: latest.devices.map((entry) => {
      if (!isNews(entry)) return entry;
      const { trouble: _, ...rest } = entry;
      const now = troubles.get(entry.device);
      return now === undefined ? rest : { ...rest, trouble: now };
    }),
  }));
};

/** The relay knows of other devices: what is known here does not serve until it was fetched anew. */
export const forgetKeys = (draft: Draft, account: string): Promise<void> =>
  putKeys(draft, account, (keys) => ({ ...keys, fetchedAt: 0 }));
