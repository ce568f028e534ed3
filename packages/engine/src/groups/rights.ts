import { POLICY } from '@sotto/crypto/membership-operation';
import type { GroupState } from '@sotto/crypto/membership-state';
import type { GroupRow } from '../rows.ts';

/** Changes that are remembered, of each kind. */
const KEPT = 256;

/** Relays that share a database have clocks of their own: so far they may be apart, in ms. */
const APART_MS = 60_000;

type Rights = NonNullable<GroupRow['rights']>[number];

const rightsOf = ({ epoch, policy, members }: GroupState): Rights => {
  const admins = members.flatMap(({ account, role }) => (role === 'member' ? [] : [account]));
  return {
    epoch,
    censors: policy & POLICY.adminsDelete ? admins : [],
    ...(policy & POLICY.adminsPost && { writers: admins }),
  };
};

const isSame = (a: Rights, b: Rights): boolean =>
  a.censors.join() === b.censors.join() && a.writers?.join() === b.writers?.join();

/** With what some may as of each epoch and others not: what is said counts by the state that it was sent under, whenever it is read. */
export const withRights = (row: GroupRow, states: readonly GroupState[]): NonNullable<GroupRow['rights']> => {
  const all = [...(row.rights ?? (row.state ? [rightsOf(row.state)] : []))];
  for (const rights of states.map(rightsOf)) {
    const before = all.at(-1);
    if (!before || !isSame(before, rights)) all.push(rights);
  }
  return all.slice(-KEPT);
};

interface Saying {
  account: string;
  epoch: number;
}

const rightsAt = ({ state, rights }: GroupRow, epoch: number): Rights | undefined =>
  rights ? rights.findLast((since) => since.epoch <= epoch) : state && rightsOf(state);

/** Whether what `account` says under the state of `epoch` takes back what others wrote. */
export const isCensor = (row: GroupRow, { account, epoch }: Saying): boolean =>
  rightsAt(row, epoch)?.censors.includes(account) ?? false;

/** Whether `account` may write under the state of `epoch`. */
export const isWriter = (row: GroupRow, { account, epoch }: Saying): boolean =>
  rightsAt(row, epoch)?.writers?.includes(account) ?? true;

/** With when the relay took the entry of `epoch`, in ms. */
export const withReached = (row: GroupRow, epoch: number, at: number): GroupRow => {
  const { reached = [] } = row;
  if (reached.some((one) => one.epoch === epoch)) return row;
  const all = [...reached, { epoch, at }].toSorted((a, b) => a.epoch - b.epoch);
  return { ...row, reached: all.slice(-KEPT) };
};

/** Whether something names the state of an epoch that had passed by when the relay took it. */
export const isStale = ({ reached = [] }: GroupRow, { epoch, at }: { epoch: number; at: number }): boolean =>
  reached.some((one) => one.epoch > epoch && at > one.at + APART_MS);
