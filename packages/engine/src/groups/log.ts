import type { Address } from '@sotto/crypto/address';
import { toBase64url, type Bytes } from '@sotto/crypto/bytes';
import { viewChain } from '@sotto/crypto/chain-view';
import { applyEntry, isSigned } from '@sotto/crypto/membership';
import { entryHash, readEntry, encodeContent, type Entry } from '@sotto/crypto/membership-operation';
import { roleOf, wasState, type GroupState } from '@sotto/crypto/membership-state';
import { CryptoError } from '@sotto/crypto/errors';
import { hasOthers } from '../devices/sync.ts';
import type { Draft } from '../model.ts';
import type { AccountKeys, GroupRow, MessageRow, SelfRow } from '../rows.ts';
import { putConversation, putMessage } from '../conversations/draft.ts';
import { withLast } from '../conversations/order.ts';
import { putGroup, showGroup, withTexts } from './group-rows.ts';
import { handEarlier, handKeys, handSender } from './hand-over.ts';
import { takeEarly } from './history.ts';
import { isSilent, noteOf } from './notes.ts';
import { renewSender } from './renewal.ts';
import { settleRequests } from './requests.ts';
import { withRights } from './rights.ts';
import { manages } from './settings.ts';
import { dropSending } from './sending.ts';

/** An entry of a log, opened; `at`: when the relay took it, in ms, where that is known. */
export interface LogEntry {
  bytes: Bytes;
  at?: number;
}

export interface LogContext {
  draft: Draft;
  self: SelfRow;
  now: number;
  /** The accounts whose keys cannot be had. */
  lost?: ReadonlySet<string> | undefined;
  /** Of what leads to where this account is out nothing follows: a device that was revoked since needs nobody to stand for it. */
  parting?: boolean | undefined;
}

interface Change {
  before: GroupState | undefined;
  after: GroupState;
  entry: Entry;
  at: number | undefined;
}

/** Who made an entry, as it says itself. Throws CryptoError for what is none. */
const actorOf = (bytes: Bytes): Address => readEntry(bytes).entry.actor;

const keysOf = (draft: Draft, self: SelfRow, account: string): Promise<AccountKeys | undefined> =>
  account === self.account ? Promise.resolve(self) : draft.get('contact', account);

/** Whether a device is known here as one that was revoked. */
export const isRevoked = async (
  { draft, self }: Pick<LogContext, 'draft' | 'self'>,
  { account, device }: Address,
): Promise<boolean> => (await keysOf(draft, self, account))?.revoked?.includes(device) ?? false;

/**
 * The signing keys of who made the entries: `active` those of devices that are, `all` also of those that were revoked; `known`:
 * the accounts whose chain was verified here.
 */
const signersOf = async ({ draft, self }: LogContext, entries: readonly LogEntry[]) => {
  const active = new Map<string, Bytes>();
  const all = new Map<string, Bytes>();
  const known = new Set<string>();
  const accounts = new Set(entries.map(({ bytes }) => actorOf(bytes).account));
  for (const account of accounts) {
    const keys = await keysOf(draft, self, account);
    if (account === self.account || keys?.chain.length) known.add(account);
    for (const { device, signing } of keys?.devices ?? []) active.set(`${account} ${device}`, signing);
    if (!keys?.revoked?.length) continue;
    const { state } = await viewChain(
      keys.chain.map(({ event }) => event),
      0,
    );
    for (const { device, signing } of state.revoked) all.set(`${account} ${device}`, signing);
  }
  for (const [name, signing] of active) all.set(name, signing);
  return { active, all, known };
};

/** As of which epoch the log is what a member says who handed over its keys; -1 where nobody said so. */
const statedBy = ({ stated = [] }: GroupRow, changes: readonly Change[]): number =>
  Math.max(
    -1,
    ...stated.flatMap(({ by, epoch, hash }) => {
      const state = changes.find(({ after }) => after.epoch === epoch)?.after;
      return state && wasState(state, epoch, hash) && roleOf(state, by) ? epoch : [];
    }),
  );

/**
 * The changes that entries make. A device that was revoked since, or whose account is lost, may have made an entry that one of an
 * active device follows, for that one vouches for all before it; or that the log had when a member handed over its keys.
 */
const changesOf = async (
  context: LogContext,
  row: GroupRow,
  entries: readonly LogEntry[],
): Promise<Change[]> => {
  const { active, all, known } = await signersOf(context, entries);
  const { lost = new Set(), parting } = context;
  const name = ({ account, device }: Address) => `${account} ${device}`;
  const vouched = entries.findLastIndex(({ bytes }) => active.has(name(actorOf(bytes))));
  const changes: Change[] = [];
  let { state } = row;
  /** The last entry that nobody who acted later stands for. */
  let open = -1;
  for (const [index, { bytes, at }] of entries.entries()) {
    const { entry } = readEntry(bytes);
    const isLost = lost.has(entry.actor.account) && !all.has(name(entry.actor));
    // Whose chain is known here is held to it: a device that is not on it may be new, or may never have been.
    if (isLost && known.has(entry.actor.account)) throw new CryptoError('membership-gap', 'of who is known');
    if (index > vouched && (isLost || (!parting && all.has(name(entry.actor))))) {
      open = entry.epoch;
      if (!row.stated) break;
    }
    const after = await applyEntry({
      state,
      entry: bytes,
      devices: (device) => all.get(name(device)),
      vouched: isLost,
    });
    if (after.group !== row.group) throw new CryptoError('membership-invalid', 'another group');
    if (after === state) continue;
    changes.push({ before: state, after, entry, at });
    state = after;
  }
  if (open > statedBy(row, changes)) throw new CryptoError('membership-gap', 'of who is gone');
  return changes;
};

/** Of copies of one entry, which differ in their signatures, the first whose own is good, or else the first. */
export const signedOf = async (context: LogContext, copies: readonly LogEntry[]): Promise<LogEntry> => {
  const { all } = await signersOf(context, copies);
  for (const copy of copies) {
    if (await isSigned(copy.bytes, ({ account, device }) => all.get(`${account} ${device}`))) return copy;
  }
  return copies[0]!;
};

/** Whether entries can be applied. */
export const holds = async (
  context: LogContext,
  row: GroupRow,
  entries: readonly LogEntry[],
): Promise<boolean> => {
  try {
    await changesOf(context, row, entries);
    return true;
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
};

const accountsOf = (state: GroupState | undefined): string[] =>
  state?.members.map(({ account }) => account) ?? [];

const departedBy = (row: GroupRow, changes: readonly Change[]): GroupRow['departed'] => {
  const departed = { ...row.departed };
  for (const { before, after } of changes) {
    const now = new Set(accountsOf(after));
    for (const account of accountsOf(before)) if (!now.has(account)) departed[account] = after.epoch;
    for (const account of now) delete departed[account];
  }
  return departed;
};

/** Where the line of a change stands. */
const orderOf = ({ entry, at }: Pick<Change, 'entry' | 'at'>, now: number): number =>
  at ?? Math.min(now, Math.max(entry.createdAt, 0));

/** The lines that say what changed, but for what happened before this account came; the last that lists show. */
const putNotes = async (
  { draft, self, now }: LogContext,
  known: { before: GroupRow; after: GroupRow },
  changes: readonly Change[],
): Promise<MessageRow | undefined> => {
  let last: MessageRow | undefined;
  for (const { before, after, entry, at } of changes) {
    if (!roleOf(after, self.account) && !(before && roleOf(before, self.account))) continue;
    const id = toBase64url((await entryHash(encodeContent(entry))).slice(0, 16));
    const { account, device } = entry.actor;
    const note = await noteOf(entry.operation, { before, after }, known);
    const order = orderOf({ entry, at }, now);
    const message: MessageRow = {
      conversation: known.after.group,
      id,
      order,
      from: account,
      device,
      sentAt: entry.createdAt,
      at: order,
      status: account === self.account ? 'sent' : 'delivered',
      text: '',
      note,
    };
    putMessage(draft, message);
    if (!isSilent(note)) last = message;
  }
  return last;
};

/** Puts into the outbox what others need because of changes: keys that this device made, or has. */
const handOver = async (
  { draft, self, now }: LogContext,
  row: GroupRow,
  changes: readonly Change[],
): Promise<GroupRow> => {
  const members = accountsOf(row.state);
  const reachable = (account: string) => account !== self.account || hasOthers(self);
  const before = new Set(accountsOf(changes[0]!.before));
  const added = members.filter((account) => !before.has(account) && reachable(account));
  const isNew = new Set([...added, self.account]);
  const mine = changes.filter(
    ({ entry: { actor } }) => actor.account === self.account && actor.device === self.device,
  );
  const kinds = new Set(mine.map(({ entry }) => entry.operation.kind));
  const isMade = kinds.has('remove') || kinds.has('rekey') || kinds.has('create');
  const toKeys = isMade ? members.filter(reachable) : kinds.has('add') ? added : [];
  handKeys(
    draft,
    row,
    toKeys.map((account) => ({ account })),
    // What comes with a text is also the head of this account's chain, which a revoked device has moved on.
    ({ account }) => kinds.has('rekey') || isNew.has(account),
  );
  // Others may have made the next key before it was known here what this device had done.
  for (const { entry, after } of mine) {
    const { operation } = entry;
    const to = 'channel' in operation ? toKeys : operation.kind === 'add' ? added : [];
    const all = to.map((account) => ({ account }));
    handEarlier(draft, row, all, [after.channel]);
  }
  const mineAdded = mine.flatMap(({ entry: { operation } }) =>
    operation.kind === 'add' ? operation.accounts : [],
  );
  await handSender(
    draft,
    row,
    added.map((account) => ({ account })),
    { self, now },
  );
  return withSharingDue(row, mineAdded, now);
};

/** What was to be sent along to accounts is to be from now on: they are in. */
const withSharingDue = (row: GroupRow, accounts: readonly string[], now: number): GroupRow =>
  row.sharing && accounts.length > 0
    ? {
        ...row,
        sharing: row.sharing.map((one) => (accounts.includes(one.account) ? { ...one, due: now } : one)),
      }
    : row;

/** Who made `account` a member last, and where that line stands. */
const joinedBy = (
  changes: readonly Change[],
  account: string,
  now: number,
): Pick<GroupRow, 'joined'> | undefined => {
  const joining = changes.findLast(
    ({ before, after }) => !(before && roleOf(before, account)) && roleOf(after, account),
  );
  return joining && { joined: { by: joining.entry.actor.account, order: orderOf(joining, now) } };
};

/** Whether the relay is to be told by this device what the group's link shows, and as of which epoch. */
const linkBy = (
  row: GroupRow,
  changes: readonly Change[],
  self: SelfRow,
): Pick<GroupRow, 'linkEpoch' | 'linkDue'> => {
  const fields = changes.filter(
    ({ entry: { operation } }) =>
      operation.kind === 'field' && ['title', 'settings'].includes(operation.field),
  );
  const settings = fields.findLast(
    ({ entry: { operation } }) => operation.kind === 'field' && operation.field === 'settings',
  );
  const isMine = ({ entry: { actor } }: Change) =>
    actor.account === self.account && actor.device === self.device;
  // Who is no admin can name the group, and cannot tell the relay.
  const isOfMember = ({ entry: { actor }, before }: Change) =>
    before !== undefined && roleOf(before, actor.account) === 'member';
  const isDue = fields.some((change) => isMine(change) || isOfMember(change));
  return {
    ...(settings && { linkEpoch: settings.after.epoch }),
    ...(isDue && manages(row, self.account) && { linkDue: true }),
  };
};

/**
 * Whether the account was a member before it had this device. Then others know nothing of the device: it hands them its
 * sender key at once, and they hand it theirs.
 */
const joinedBefore = (changes: readonly Change[], { account, createdAt }: SelfRow): boolean => {
  const joining = changes.findLast(
    ({ before, after }) => !(before && roleOf(before, account)) && roleOf(after, account),
  );
  return joining !== undefined && joining.entry.createdAt < createdAt;
};

/**
 * Verifies entries of a group's log against what is known of it, and stores all that follows from them; the group then.
 * Those that were applied before change nothing.
 *
 * @throws CryptoError as `applyEntry`, `membership-gap` also when nobody stands for an entry; then nothing was stored
 */
export const applyLog = async (
  context: LogContext,
  row: GroupRow,
  entries: readonly LogEntry[],
  { request }: { request?: boolean } = {},
): Promise<GroupRow> => {
  const { draft, self, now } = context;
  const changes = await changesOf(context, row, entries);
  const me = self.account;
  const last = changes.at(-1);
  if (!last) {
    if (request !== undefined) await showGroup(draft, row, { me, now, request });
    return row;
  }
  const { making: _m, stated: _o, ...made } = row;
  const keyedBy = changes.findLast(({ entry }) => 'channel' in entry.operation)?.entry.actor;
  const known = {
    ...made,
    state: last.after,
    departed: departedBy(row, changes)!,
    rights: withRights(
      row,
      changes.map(({ after }) => after),
    ),
    ...(keyedBy && { keyedBy }),
  };
  const read = await withTexts(known, known.texts);
  const isMine = changes.some(({ entry: { actor } }) => actor.account === me && actor.device === self.device);
  const linked = { ...read, ...linkBy(read, changes, self), ...joinedBy(changes, me, now) };
  const named = settleRequests(draft, self, { before: row, after: linked, isMine });
  const note = await putNotes(context, { before: row, after: named }, changes);
  const isMember = roleOf(last.after, me) !== undefined;
  const { introduced: _i, requests: _r, sharing: _s, linkDue: _d, ...left } = named;
  const isLate = !row.state && request !== true && joinedBefore(changes, self);
  if (isLate) await renewSender(draft, self, named, now);
  if (!isMember) dropSending(draft, row.group, self);
  const next = isMember ? await handOver(context, named, changes) : left;
  await showGroup(draft, next, { me, now, ...(request !== undefined && { request }) });
  const taken = await takeEarly(draft, next, { me, now });
  if (taken !== next) putGroup(draft, taken);
  const shown = note && (await draft.get('conversation', row.group));
  if (shown) putConversation(draft, withLast(shown, note, me));
  return taken;
};
