import type { Address } from '@sotto/crypto/address';
import { equal, toBase64url, type Bytes } from '@sotto/crypto/bytes';
import { openEntry } from '@sotto/crypto/channel-seal';
import { CryptoError } from '@sotto/crypto/errors';
import { entryHash, readEntry, type Entry } from '@sotto/crypto/membership-operation';
import type { Model } from '../model.ts';
import type { GroupRow, HeldRow } from '../rows.ts';
import { holds, signedOf } from './log.ts';
import type { ShownLog } from './taking.ts';

interface Opened {
  bytes: Bytes;
  entry: Entry;
  hash: Bytes;
}

const openedOf = async (row: GroupRow, { body }: HeldRow): Promise<Opened[]> => {
  try {
    const { epoch, entry: bytes } = await openEntry(row.log, body);
    const { entry, content } = readEntry(bytes);
    if (entry.epoch !== epoch) return [];
    return [{ bytes, entry, hash: await entryHash(content) }];
  } catch (error) {
    if (error instanceof CryptoError) return [];
    throw error;
  }
};

const isParting = ({ entry: { actor, operation } }: Opened, account: string): boolean =>
  operation.kind === 'remove'
    ? operation.accounts.includes(account)
    : operation.kind === 'leave' && actor.account === account;

/**
 * The logs that may have led to where `account` is out, the longest first: entries, each of which names the one before, and of
 * each the copies that came. Anybody who has the log key can have made them.
 */
const pathsTo = (row: GroupRow, account: string, all: readonly Opened[]): Opened[][][] => {
  const byHash = new Map<string, Opened[]>();
  for (const one of all) {
    const hash = toBase64url(one.hash);
    const copies = byHash.get(hash);
    if (copies) copies.push(one);
    else byHash.set(hash, [one]);
  }
  const lasts = [...byHash.values()].filter(([one]) => isParting(one!, account));
  return lasts
    .toSorted(([a], [b]) => b!.entry.epoch - a!.entry.epoch)
    .flatMap((last) => {
      const path: Opened[][] = [];
      for (let at: Opened[] | undefined = last; at; at = byHash.get(toBase64url(at[0]!.entry.previous))) {
        path.unshift(at);
        if (equal(at[0]!.entry.previous, row.state!.head)) return [path];
      }
      return [];
    });
};

interface Sources {
  model: Model;
  now: number;
  /** Fetches keys of those who made entries; whose cannot be had. */
  learn: (actors: readonly Address[]) => Promise<ReadonlySet<string>>;
}

/**
 * Whom the relay shows the log no more has what was handed out of it: the entries that lead to the one by which this account is
 * out. Undefined where none that can be applied has come.
 */
export const partingLog = async (
  { model, now, learn }: Sources,
  row: GroupRow,
  held: readonly HeldRow[],
): Promise<ShownLog | undefined> => {
  const all = (await Promise.all(held.map((one) => openedOf(row, one)))).flat();
  const paths = pathsTo(row, model.self!.account, all);
  const lost = await learn(paths.flat(2).map(({ entry }) => entry.actor));
  const before = new Set(held.map(({ envelope }) => envelope));
  return model.change(async (draft) => {
    const context = { draft, self: (await draft.get('self', 'self'))!, now, lost, parting: true };
    for (const path of paths) {
      const entries = await Promise.all(
        path.map(async (copies) => ({
          epoch: copies[0]!.entry.epoch,
          bytes: (await signedOf(context, copies)).bytes,
        })),
      );
      if (!(await holds(context, row, entries))) continue;
      return { epoch: entries.at(-1)!.epoch, entries, before, lost, parting: true as const };
    }
    return undefined;
  });
};
