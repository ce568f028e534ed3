import { LIMITS } from '@sotto/contract/limits';
import { createGroupKey } from '@sotto/crypto/channel';
import { sortAccounts } from '@sotto/crypto/membership-operation';
import { roleOf } from '@sotto/crypto/membership-state';
import { EngineError } from '../errors.ts';
import type { GroupRow, HistoryChoice } from '../rows.ts';
import { keysInForce } from './group-rows.ts';
import type { Plan } from './propose.ts';

/** A key where one is due before anything else can be done. */
export const freshKey = async (group: string): ReturnType<Plan> => {
  const key = await createGroupKey('channel', group);
  return { operation: { kind: 'rekey', channel: key.id }, key };
};

/** Accounts become members: those that are none yet. `tokenOf` tells what lets somebody be put in without being asked. */
export const addition =
  (accounts: readonly string[], tokenOf: (account: string) => string | undefined): Plan =>
  async (row) => {
    const { state } = row;
    const added = [...new Set(accounts)].filter((account) => roleOf(state, account) === undefined);
    if (added.length === 0) return undefined;
    if (state.members.length + added.length > LIMITS.membersPerChannel)
      throw new EngineError('too-many-members');
    // The keys that are handed to them have to be in force, and here.
    if (!keysInForce(row)) return state.rekeyDue ? freshKey(state.group) : 'later';
    // So many strangers at once; the others in entries that follow.
    const strangers = added.filter((account) => tokenOf(account) === undefined);
    const later = new Set(strangers.slice(LIMITS.strangersPerChange));
    const now = added.filter((account) => !later.has(account));
    return { operation: { kind: 'add', accounts: sortAccounts(now) } };
  };

/** What accounts are to be sent along once they are in; what was chosen for them before counts no more. */
export const withSharing = (row: GroupRow, accounts: readonly string[], choice: HistoryChoice): GroupRow => {
  const { sharing = [], ...rest } = row;
  const others = sharing.filter(({ account }) => !accounts.includes(account));
  const all = choice === 'none' ? others : [...others, ...accounts.map((account) => ({ account, choice }))];
  return all.length > 0 ? { ...rest, sharing: all } : rest;
};
