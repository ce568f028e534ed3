import type { IncomingEnvelope } from '@sotto/contract/envelope';
import { RelayError } from '@sotto/contract/errors';
import type { Address } from '@sotto/crypto/address';
import { CryptoError } from '@sotto/crypto/errors';
import type { PublicDevice } from '@sotto/crypto/handshake';
import { open } from '@sotto/crypto/seal';
import { KIND_SESSION } from '@sotto/crypto/session-body';
import type { Directory } from '../account/directory.ts';
import type { Model } from '../model.ts';
import type { AccountKeys, ContactRow, SelfRow } from '../rows.ts';
import { publicDevice } from '../sessions.ts';

/** What stands in an opened seal: nothing of it is proven. */
type Claim = { envelope: IncomingEnvelope } & (
  | { group: string }
  | { from: Address; body: Uint8Array<ArrayBuffer> }
  | { reason: string }
);

/** What became of an envelope once its seal was opened. */
export type Opened = { envelope: IncomingEnvelope } & (
  | {
      peer: PublicDevice;
      body: Uint8Array<ArrayBuffer>;
      /** Who it claims to be from, when that is nobody that is known here. */
      stranger?: ContactRow;
    }
  | { reason: string }
  /** Of a group: it says by itself who made it. */
  | { group: string }
  /** Nothing can be said of it yet: the keys of whom it claims to be from cannot be had now. */
  | { later: Address }
);

/** Opens the seal of one envelope. */
const unseal = async (self: SelfRow, envelope: IncomingEnvelope): Promise<Claim> => {
  if (envelope.channel !== undefined) return { envelope, group: envelope.channel };
  const me = { account: self.account, device: self.device };
  try {
    const { from, kind, body } = await open({ me, sealingKeys: self.sealing, envelope: envelope.body });
    return kind === KIND_SESSION ? { envelope, from, body } : { envelope, reason: 'unknown-kind' };
  } catch (error) {
    if (error instanceof CryptoError) return { envelope, reason: error.code };
    throw error;
  }
};

/** A device as far as a chain names it, or that it was revoked. */
const find = (keys: AccountKeys | undefined, { account, device }: Address) => {
  const entry = keys?.devices.find((candidate) => candidate.device === device);
  if (entry) return publicDevice(account, entry);
  return keys?.revoked?.includes(device) ? ('device-revoked' as const) : undefined;
};

const isLater = (error: unknown): boolean =>
  (error instanceof RelayError && error.code !== 'account-unknown') ||
  // An answer from before what is known: the relay's to put right.
  (error instanceof CryptoError && error.code === 'chain-rollback');

/** Where keys come from; `mayAsk`: whether the relay may be asked about one more account that is nobody's here. */
export interface Sources {
  model: Model;
  directory: Directory;
  mayAsk: () => boolean;
}

/** Finds out for one batch of claims whose keys to check them with, asking the relay once for each account. */
const createFinder = (self: SelfRow, { model, directory, mayAsk }: Sources) => {
  const asked = new Map<string, Promise<AccountKeys>>();
  const ask = (account: string): Promise<AccountKeys> => {
    const known =
      asked.get(account) ?? (account === self.account ? directory.refreshSelf() : directory.look(account));
    asked.set(account, known);
    return known;
  };
  return async ({ envelope, from, body }: Extract<Claim, { from: Address }>): Promise<Opened> => {
    const { account, device } = from;
    if (account === self.account && device === self.device) return { envelope, reason: 'from-self' };
    try {
      const known = account === self.account ? model.self : model.contacts.get(account);
      let peer = find(known, from);
      let stranger: ContactRow | undefined;
      if (peer === undefined) {
        // Anybody can name accounts that nobody knows.
        if (!known && !asked.has(account) && !mayAsk()) return { envelope, later: from };
        const fresh = await ask(account);
        peer = find(fresh, from);
        if (!known) stranger = fresh as ContactRow;
      }
      if (typeof peer === 'string') return { envelope, reason: peer };
      if (!peer) return { envelope, reason: 'device-unknown' };
      return { envelope, peer, body, ...(stranger && { stranger }) };
    } catch (error) {
      if (isLater(error)) return { envelope, later: from };
      if (error instanceof RelayError || error instanceof CryptoError)
        return { envelope, reason: error.code };
      throw error;
    }
  };
};

/** Opens the seals of a batch at once and finds out whose keys to check each with. */
export const openBatch = async (
  self: SelfRow,
  sources: Sources,
  envelopes: readonly IncomingEnvelope[],
): Promise<Opened[]> => {
  const claims = await Promise.all(envelopes.map((envelope) => unseal(self, envelope)));
  const finder = createFinder(self, sources);
  return Promise.all(claims.map((claim) => ('from' in claim ? finder(claim) : claim)));
};
