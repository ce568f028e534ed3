import { createGroupKey } from '@sotto/crypto/channel';
import { sortAccounts } from '@sotto/crypto/membership-operation';
import { roleOf } from '@sotto/crypto/membership-state';
import type { GroupRow, HistoryChoice } from '../rows.ts';
import type { Plan } from './propose.ts';

/** A key where one is due before anything else can be done. */
export const freshKey = async (group: string): ReturnType<Plan> => {
  const key = await createGroupKey('channel', group);
  return { operation: { kind: 'rekey', channel: key.id }, key };
};

/** Accounts become members: those that are none yet. */
export const addition =
  (accounts: readonly string[]): Plan =>
  async ({ state }) => {
    const added = accounts.filter((account) => roleOf(state, account) === undefined);
    if (added.length === 0) return undefined;
    // The keys that are handed to them have to be in force.
    if (state.rekeyDue) return freshKey(state.group);
    return { operation: { kind: 'add', accounts: sortAccounts([...new Set(added)]) } };
  };

/** What accounts are to be sent along once they are in; what was chosen for them before counts no more. */
export const withSharing = (row: GroupRow, accounts: readonly string[], choice: HistoryChoice): GroupRow => {
  const { sharing = [], ...rest } = row;
  const others = sharing.filter(({ account }) => !accounts.includes(account));
  const all = choice === 'none' ? others : [...others, ...accounts.map((account) => ({ account, choice }))];
  return all.length > 0 ? { ...rest, sharing: all } : rest;
};
