import { concat, equal, lp, u8, u16, u32, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { sha256 } from './keys.ts';
import { I } from './labels.ts';
import { accountBytes, FIELDS, groupBytes, ROLES, type Field, type Role } from './membership-operation.ts';

export interface Member {
  readonly account: string;
  readonly role: Role;
}

/** What the log of a group adds up to. Plain data: it can be stored in IndexedDB as it is. */
export interface GroupState {
  /** 16 bytes, base64url. */
  readonly group: string;
  readonly epoch: number;
  /** The hash of the last entry: 32 bytes. */
  readonly head: Bytes;
  /** The state hash: 32 bytes; what every message names. */
  readonly hash: Bytes;
  /** In the order of the bytes of their accounts. */
  readonly members: readonly Member[];
  readonly policy: number;
  /** Those that are set. */
  readonly fields: Readonly<Partial<Record<Field, Bytes>>>;
  /** Ids of the channel key in force and of the log key: 32 bytes each. */
  readonly channel: Bytes;
  readonly log: Bytes;
  /** Somebody left who holds the channel key: nothing is posted before a `rekey`. */
  readonly rekeyDue: boolean;
  /** The epoch at which somebody last ceased to be a member; 0 for never. */
  readonly lastDeparture: number;
  /** Entry hash and state hash of every epoch from 0 on: 64 bytes each. */
  readonly history: Bytes;
}

const HASH_BYTES = 32;
const EPOCH_BYTES = 2 * HASH_BYTES;

/** The encoding that the state hash is taken of. Throws `bad-encoding`. */
export const encodeState = (state: Omit<GroupState, 'hash' | 'history' | 'lastDeparture'>): Bytes => {
  const fields = FIELDS.flatMap((field, i) => {
    const value = state.fields[field];
    return value ? [concat(u8(i), lp(value))] : [];
  });
  return concat(
    lp(groupBytes(state.group)),
    u32(state.epoch),
    state.head,
    state.channel,
    state.log,
    u8(state.rekeyDue ? 1 : 0),
    u8(state.policy),
    u16(state.members.length),
    ...state.members.flatMap(({ account, role }) => [accountBytes(account), u8(ROLES.indexOf(role))]),
    u8(fields.length),
    ...fields,
  );
};

/** `state` with its hash, and with both hashes in its history. */
export const withHash = async (state: Omit<GroupState, 'hash'>): Promise<GroupState> => {
  const hash = await sha256(I('group-state', encodeState(state)));
  return { ...state, hash, history: concat(state.history, state.head, hash) };
};

const past = (state: GroupState, epoch: number) => {
  const at = epoch * EPOCH_BYTES;
  return {
    head: state.history.slice(at, at + HASH_BYTES),
    hash: state.history.slice(at + HASH_BYTES, at + EPOCH_BYTES),
  };
};

/** Whether the entry of a past or present epoch is the one with this hash. */
export const isInHistory = (state: GroupState, epoch: number, entry: Bytes): boolean =>
  equal(past(state, epoch).head, entry);

export const roleOf = (state: GroupState, account: string): Role | undefined =>
  state.members.find((member) => member.account === account)?.role;

/** How a message stands to the membership that this client knows. */
export interface Standing {
  /**
   * `current`: sent under the state known here. `old`: under an earlier one. `forked`: under one that never was,
   * as far as this client has been told: somebody sees another group.
   */
  readonly view: 'current' | 'old' | 'forked';
  /** Somebody has ceased to be a member since the state that it was sent under: they may be able to read it. */
  readonly departed: boolean;
  /** The author's role now; absent for somebody who is not a member any more, or never was. */
  readonly role?: Role;
}

/**
 * How what names `stateHash` as the state of `epoch` stands. Throws `membership-gap` when this client has not come
 * that far: read the log first.
 */
export const standingOf = (
  state: GroupState,
  message: { epoch: number; stateHash: Bytes; account: string },
): Standing => {
  const { epoch, stateHash, account } = message;
  if (epoch > state.epoch) throw new CryptoError('membership-gap');
  const role = roleOf(state, account);
  const known = equal(past(state, epoch).hash, stateHash);
  const view = known ? (epoch === state.epoch ? 'current' : 'old') : 'forked';
  return { view, departed: state.lastDeparture > epoch, ...(role && { role }) };
};

/** One line of the roster that the relay keeps in clear: who it delivers to, and who it lets change the group. */
export interface RosterLine {
  readonly account: string;
  /** An admin or an owner. */
  readonly manages: boolean;
}

/** What the relay must have written down for a state. */
export const rosterOf = (state: GroupState): RosterLine[] =>
  state.members.map(({ account, role }) => ({ account, manages: role !== 'member' }));

/** Throws `roster-mismatch` unless the relay's roster, in whatever order, is that of the log: the group stops. */
export const checkRoster = (state: GroupState, roster: readonly RosterLine[]): void => {
  const lines = new Map(roster.map(({ account, manages }) => [account, manages]));
  const agrees = rosterOf(state).every(({ account, manages }) => lines.get(account) === manages);
  if (!agrees || roster.length !== state.members.length) throw new CryptoError('roster-mismatch');
};
