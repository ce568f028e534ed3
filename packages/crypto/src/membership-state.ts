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
  /** The channel keys that were in force before, the latest last, and until which epoch; of states of before not all. */
  readonly earlier?: readonly { readonly channel: Bytes; readonly until: number }[];
  /** Since which epoch somebody is a member who was none while all of `earlier` were in force. */
  readonly added?: Readonly<Record<string, number>>;
}

/** So many channel keys that were in force before can still be handed over. */
const EARLIER = 8;

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

/** `after`, which follows `before`, with which channel keys were in force until when, and for whom they are too old. */
export const withEarlier = <S extends Omit<GroupState, 'hash'>>(before: GroupState, after: S): S => {
  const isOver = !before.rekeyDue && (after.rekeyDue || !equal(after.channel, before.channel));
  if (!isOver && after.members === before.members) return after;
  const over = isOver ? [{ channel: before.channel, until: before.epoch }] : [];
  const earlier = [...(before.earlier ?? []), ...over].slice(-EARLIER);
  const oldest = earlier[0]?.until ?? Infinity;
  const known = new Set(before.members.map(({ account }) => account));
  const added: Record<string, number> = {};
  for (const { account } of after.members) {
    const since = known.has(account) ? (before.added?.[account] ?? 0) : after.epoch;
    if (since > oldest) added[account] = since;
  }
  return { ...after, earlier, added };
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

/** Whether the state of a past or present epoch is the one with this hash. */
export const wasState = (state: GroupState, epoch: number, hash: Bytes): boolean =>
  equal(past(state, epoch).hash, hash);

/** The hash of the state of a past or present epoch. */
export const stateHashOf = (state: GroupState, epoch: number): Bytes => past(state, epoch).hash;

/** Whether the log names a channel key, or named it not long ago. */
export const isNamed = ({ channel, earlier = [] }: GroupState, id: Bytes): boolean =>
  equal(channel, id) || earlier.some((one) => equal(one.channel, id));

/**
 * Until which epoch an earlier channel key was in force; undefined unless `account` was a member in that epoch, and in each since.
 */
export const heldUntil = (state: GroupState, id: Bytes, account: string): number | undefined => {
  if (roleOf(state, account) === undefined) return undefined;
  const since = state.added?.[account] ?? 0;
  return state.earlier?.findLast(({ channel, until }) => equal(channel, id) && since <= until)?.until;
};

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
  const known = wasState(state, epoch, stateHash);
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
