import { equal } from './bytes.ts';
import { CryptoError } from './errors.ts';
import {
  accountBytes,
  compareBytes,
  MAX_FIELD_BYTES,
  MAX_MEMBERS,
  MAX_OPERATIONS,
  POLICY,
  ROLES,
  type Operation,
  type Role,
} from './membership-operation.ts';
import { roleOf, type GroupState, type Member } from './membership-state.ts';

/** What an operation makes of a state, apart from epoch and hashes. */
export type Changed = Pick<
  GroupState,
  'members' | 'policy' | 'fields' | 'channel' | 'rekeyDue' | 'lastDeparture'
>;

const ALL_POLICY = Object.values(POLICY).reduce((sum, bit) => sum | bit, 0);

const refuse = (why: string): never => {
  throw new CryptoError('membership-invalid', why);
};

const rank = (role: Role | undefined): number => (role ? ROLES.indexOf(role) : -1);
const ADMIN = rank('admin');

const sorted = (members: readonly Member[]): Member[] =>
  members
    .map((member) => ({ member, bytes: accountBytes(member.account) }))
    .toSorted((a, b) => compareBytes(a.bytes, b.bytes))
    .map(({ member }) => member);

/** Without an owner a group can be neither handed over nor put in order: only an empty one has none. */
const checkOwned = (members: readonly Member[]): void => {
  if (members.length > 0 && !members.some(({ role }) => role === 'owner')) refuse('the last owner');
};

const add = (state: GroupState, actor: Role, accounts: readonly string[]): Partial<Changed> => {
  if (rank(actor) < ADMIN && (state.policy & POLICY.membersAdd) === 0) refuse('may not add');
  const known = new Set(state.members.map(({ account }) => account));
  if (accounts.some((account) => known.has(account))) refuse('a member already');
  if (known.size + accounts.length > MAX_MEMBERS) refuse('too many members');
  const added = accounts.map((account): Member => ({ account, role: 'member' }));
  return { members: sorted([...state.members, ...added]) };
};

const remove = (state: GroupState, actor: { account: string; role: Role }, accounts: readonly string[]) => {
  const gone = new Set(accounts);
  if (gone.has(actor.account)) refuse('removes itself');
  const roles = new Map(state.members.map(({ account, role }) => [account, role]));
  for (const account of accounts) {
    const role = roles.get(account) ?? refuse('not a member');
    // Owners also each other; members nobody, since nobody is below them.
    if (rank(role) >= rank(actor.role) && actor.role !== 'owner') refuse('not below the actor');
  }
  return state.members.filter(({ account }) => !gone.has(account));
};

const changeRole = (state: GroupState, actor: { account: string; role: Role }, target: Member) => {
  const before = roleOf(state, target.account) ?? refuse('not a member');
  if (before === target.role) refuse('no change');
  const stepsDown = target.account === actor.account && rank(target.role) < rank(before);
  if (actor.role !== 'owner' && !stepsDown) refuse('may not change roles');
  const members = state.members.map((member) => (member.account === target.account ? { ...target } : member));
  checkOwned(members);
  return members;
};

const freshKey = (state: GroupState, { channel }: { channel: GroupState['channel'] }): Partial<Changed> => {
  if (equal(channel, state.channel)) refuse('the same channel key');
  return { channel, rekeyDue: false };
};

const change = (
  state: GroupState,
  actor: { account: string; role: Role },
  operation: Operation,
): Partial<Changed> => {
  const { account, role } = actor;
  const manages = rank(role) >= ADMIN;
  const lastDeparture = state.epoch + 1;
  switch (operation.kind) {
    case 'create':
      return refuse('created already');
    case 'add':
      return add(state, role, operation.accounts);
    case 'remove':
      return {
        ...freshKey(state, operation),
        members: remove(state, actor, operation.accounts),
        lastDeparture,
      };
    case 'leave': {
      const members = state.members.filter((member) => member.account !== account);
      checkOwned(members);
      return { members, rekeyDue: true, lastDeparture };
    }
    case 'role':
      return { members: changeRole(state, actor, { account: operation.account, role: operation.role }) };
    case 'field': {
      const { field, value } = operation;
      const open = field !== 'settings' && (state.policy & POLICY.membersEdit) !== 0;
      if (!manages && !open) refuse('may not edit');
      if (value.length > MAX_FIELD_BYTES) refuse('too long');
      const { [field]: _, ...fields } = state.fields;
      return { fields: value.length > 0 ? { ...fields, [field]: value } : fields };
    }
    case 'policy':
      if (!manages) refuse('may not set the policy');
      if ((operation.policy & ~ALL_POLICY) !== 0) refuse('unknown policy');
      return { policy: operation.policy };
    case 'rekey':
      return freshKey(state, operation);
  }
};

/** What `operation` by `account` makes of `state`. Throws `membership-invalid` when it may not, or makes no sense. */
export const changed = (state: GroupState, account: string, operation: Operation): Changed => {
  const role = roleOf(state, account) ?? refuse('not a member');
  if (state.epoch + 1 >= MAX_OPERATIONS) refuse('too many operations');
  const { members, policy, fields, channel, rekeyDue, lastDeparture } = state;
  const same: Changed = { members, policy, fields, channel, rekeyDue, lastDeparture };
  return { ...same, ...change(state, { account, role }, operation) };
};
