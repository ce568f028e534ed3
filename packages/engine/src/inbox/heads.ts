import type { Heads } from '@sotto/contract/content';
import { RelayError } from '@sotto/contract/errors';
import { toBase64url } from '@sotto/crypto/bytes';
import { eventHash, parseEvent } from '@sotto/crypto/chain-event';
import { CryptoError } from '@sotto/crypto/errors';
import type { Directory } from '../account/directory.ts';
import { createBackoff, type Clock } from '../clock.ts';
import { putContact } from '../conversations/draft.ts';
import type { Draft, Model } from '../model.ts';
import { createPump } from '../pump.ts';
import type { AccountKeys, ContactRow, Doubts, SelfRow } from '../rows.ts';

/** Whether a head that somebody names is that of a known chain, now or earlier. */
const isInChain = async ({ head, chain }: AccountKeys, named: string): Promise<boolean> => {
  if (head === named) return true;
  for (const { event } of chain.toReversed()) {
    if (toBase64url(await eventHash(parseEvent(event).content)) === named) return true;
  }
  return false;
};

const keysOf = (draft: Draft, self: SelfRow, account: string): Promise<SelfRow | ContactRow | undefined> =>
  account === self.account ? draft.get('self', 'self') : draft.get('contact', account);

const putKeys = (draft: Draft, row: SelfRow | ContactRow): void => {
  if ('key' in row) draft.put('self', row, 'self');
  else putContact(draft, row);
};

/** The heads that are in no chain that is known here. */
const unknownOf = async (keys: AccountKeys, self: SelfRow, { from, to }: Doubts): Promise<Doubts> => ({
  ...(from !== undefined && !(await isInChain(keys, from)) && { from }),
  ...(to !== undefined && !(await isInChain(self, to)) && { to }),
});

const isNone = ({ from, to }: Doubts): boolean => from === undefined && to === undefined;

/** Holds what a message says of both chains against those known here. Until what is new was looked up, its sender is sent nothing. */
export const noteHeads = async (
  draft: Draft,
  self: SelfRow,
  account: string,
  heads: Heads,
): Promise<void> => {
  const row = await keysOf(draft, self, account);
  if (!row) return;
  const found = await unknownOf(row, self, heads);
  if (!isNone(found)) putKeys(draft, { ...row, doubts: { ...row.doubts, ...found } });
};

/** What has been asked about is in a chain by now, or there are two chains. What came since is to be asked about. */
const settle = async (draft: Draft, account: string, asked: Doubts): Promise<void> => {
  const self = (await draft.get('self', 'self'))!;
  const row = await keysOf(draft, self, account);
  if (!row?.doubts) return;
  const { doubts, ...rest } = row;
  const left: Doubts = {
    ...(doubts.from !== asked.from && { from: doubts.from! }),
    ...(doubts.to !== asked.to && { to: doubts.to! }),
  };
  const isForked = !isNone(await unknownOf(row, self, asked));
  putKeys(draft, {
    ...(rest as SelfRow | ContactRow),
    ...(!isNone(left) && { doubts: left }),
    ...(isForked && { changed: row.changed ?? 'forked' }),
  });
};

/** Looks up the chains that messages have named heads of and that are not known here. */
export const createHeadWatch = (
  { model, directory, clock }: { model: Model; directory: Directory; clock: Clock },
  onStored: () => void,
  onError: (error: unknown) => void,
) => {
  const backoff = createBackoff(500, 30_000);
  let cancel: (() => void) | undefined;

  const doubtful = (self: SelfRow): [string, Doubts][] =>
    [self, ...model.contacts.values()].flatMap(({ account, doubts }) => (doubts ? [[account, doubts]] : []));

  /** False when there was no answer. What an answer that does not hold means is for `settle`. */
  const ask = async (self: SelfRow, account: string, { from, to }: Doubts): Promise<boolean> => {
    const isOwn = account === self.account;
    try {
      if (from !== undefined && !isOwn) await directory.refresh(account);
      if (to !== undefined || isOwn) await directory.refreshSelf();
    } catch (error) {
      if (error instanceof RelayError) return error.code === 'account-unknown';
      if (!(error instanceof CryptoError)) throw error;
    }
    return true;
  };

  const pump = createPump(async () => {
    const { self } = model;
    if (!self || cancel) return;
    const found = doubtful(self);
    let again = false;
    try {
      for (const [account, doubts] of found) {
        if (await ask(self, account, doubts)) await model.change((draft) => settle(draft, account, doubts));
        else again = true;
      }
      if (!again) backoff.reset();
    } catch (error) {
      onError(error);
      again = true;
    }
    if (found.length > 0) onStored();
    if (!again) return;
    cancel = clock.after(backoff.next(), () => {
      cancel = undefined;
      pump.kick();
    });
  });

  return {
    /** At once, whatever it waited for. */
    connected(): void {
      cancel?.();
      cancel = undefined;
      backoff.reset();
      pump.kick();
    },
    kick(): void {
      if (model.self && doubtful(model.self).length > 0) pump.kick();
    },
    async stop(): Promise<void> {
      cancel?.();
      await pump.stop();
      cancel?.();
    },
  };
};
