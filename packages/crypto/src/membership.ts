import type { Address } from './address.ts';
import { equal, toBase64url, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { sign, verify, type PrivateKey } from './keys.ts';
import {
  encodeContent,
  encodeEntry,
  entryHash,
  readEntry,
  signedContent,
  type Entry,
  type Operation,
} from './membership-operation.ts';
import { changed } from './membership-rules.ts';
import { isInHistory, withEarlier, withHash, type GroupState } from './membership-state.ts';

/**
 * The public signing key of a device, out of the verified chain of its account; undefined for a device that is not
 * on it. For entries that are new to this client: active devices. For the history before it came: also those that
 * were revoked since.
 */
export type DeviceKeys = (device: Address) => Bytes | undefined;

/** Who signs an entry. */
interface Author {
  readonly actor: Address;
  readonly signing: PrivateKey;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

const NO_HASH = new Uint8Array(32);
const NONE = new Uint8Array(0);

const signEntry = async (signing: PrivateKey, entry: Entry): Promise<Bytes> => {
  const content = encodeContent(entry);
  return encodeEntry(content, await sign(signing, signedContent(content)));
};

const first = (entry: Entry, head: Bytes): Promise<GroupState> => {
  const { operation, group, epoch, previous, actor } = entry;
  if (operation.kind !== 'create' || epoch !== 0 || !equal(previous, NO_HASH)) {
    throw new CryptoError('membership-invalid', 'no beginning');
  }
  const { channel, log } = operation;
  return withHash({
    group,
    epoch,
    head,
    channel,
    log,
    members: [{ account: actor.account, role: 'owner' }],
    policy: 0,
    fields: {},
    rekeyDue: false,
    lastDeparture: 0,
    history: NONE,
  });
};

const next = (state: GroupState, { epoch, actor, operation }: Entry, head: Bytes): Promise<GroupState> =>
  withHash(withEarlier(state, { ...state, ...changed(state, actor.account, operation), epoch, head }));

const asInvalid = async <T>(work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    const malformed = error instanceof CryptoError && ['bad-encoding', 'bad-key'].includes(error.code);
    throw malformed ? new CryptoError('membership-invalid') : error;
  }
};

/** Whether an entry is signed by the device that it names. Throws `membership-invalid` for what is none. */
export const isSigned = (bytes: Bytes, devices: DeviceKeys): Promise<boolean> =>
  asInvalid(async () => {
    const { entry, content, signature } = readEntry(bytes);
    const key = devices(entry.actor);
    return key !== undefined && verify(key, signature, signedContent(content));
  });

/** An entry that is signed by whom it names, or `vouched` for where that one's key is not to be had, and its hash. */
const authentic = (bytes: Bytes, devices: DeviceKeys, vouched: boolean) =>
  asInvalid(async () => {
    const { entry, content } = readEntry(bytes);
    const isUnchecked = vouched && !devices(entry.actor);
    if (!isUnchecked && !(await isSigned(bytes, devices)))
      throw new CryptoError('membership-invalid', 'signature');
    return { entry, hash: await entryHash(content) };
  });

/**
 * The state after an entry that the relay has shown as accepted; `state` is undefined before the first, whose group
 * id the caller compares with the one it asked for. An entry that has been applied changes nothing.
 *
 * Throws `membership-invalid` for what is malformed, not signed by a device of its actor, or not the actor's to do;
 * `membership-gap` when entries before it are missing; `group-fork` when it is another one for an epoch that has
 * passed, or follows another history: two operations were accepted for one epoch, the group stops.
 *
 * `vouched`: taken without a signature when `devices` has no key of its actor's, who is gone. The caller takes nothing of it
 * unless somebody who can be checked stands for the history that it is part of.
 */
export const applyEntry = async (request: {
  state: GroupState | undefined;
  entry: Bytes;
  devices: DeviceKeys;
  vouched?: boolean;
}): Promise<GroupState> => {
  const { state, devices, vouched = false } = request;
  const { entry, hash } = await authentic(request.entry, devices, vouched);
  if (!state) return first(entry, hash);
  if (entry.group !== state.group) throw new CryptoError('membership-invalid', 'another group');
  if (entry.epoch <= state.epoch) {
    if (isInHistory(state, entry.epoch, hash)) return state;
    throw new CryptoError('group-fork');
  }
  if (entry.epoch > state.epoch + 1) throw new CryptoError('membership-gap');
  if (!equal(entry.previous, state.head)) throw new CryptoError('group-fork');
  return next(state, entry, hash);
};

/** `applyEntry` for each: all of them or none. Throws `membership-invalid` also when there is nothing at all. */
export const applyEntries = async (request: {
  state: GroupState | undefined;
  entries: readonly Bytes[];
  devices: DeviceKeys;
}): Promise<GroupState> => {
  const { entries, devices } = request;
  let { state } = request;
  for (const entry of entries) state = await applyEntry({ state, entry, devices });
  if (!state) throw new CryptoError('membership-invalid', 'empty');
  return state;
};

/**
 * A new group: its first entry, with the actor as owner. `channel` and `log` are the ids of its keys. `group` is
 * random unless given. Throws `bad-encoding`.
 */
export const createGroup = async (
  request: Author & { group?: string; channel: Bytes; log: Bytes },
): Promise<{ entry: Bytes; state: GroupState }> => {
  const { actor, signing, createdAt, channel, log } = request;
  const group = request.group ?? toBase64url(crypto.getRandomValues(new Uint8Array(16)));
  const operation: Operation = { kind: 'create', channel, log };
  const entry: Entry = { group, epoch: 0, previous: NO_HASH, createdAt, actor, operation };
  return {
    entry: await signEntry(signing, entry),
    state: await first(entry, await entryHash(encodeContent(entry))),
  };
};

/**
 * An entry that would follow `state`, and the state that it would make: proposed to the relay, which accepts one per
 * epoch. Nothing has happened until it does; when another was accepted, propose again on the state that follows it.
 * Throws `membership-invalid` when the actor may not do that.
 */
export const propose = (
  request: Author & { state: GroupState; operation: Operation },
): Promise<{ entry: Bytes; state: GroupState }> =>
  asInvalid(async () => {
    const { state, actor, signing, createdAt, operation } = request;
    const { group, epoch, head } = state;
    const unsigned: Entry = { group, epoch: epoch + 1, previous: head, createdAt, actor, operation };
    const { entry } = readEntry(encodeEntry(encodeContent(unsigned), new Uint8Array(64)));
    const after = await next(state, entry, await entryHash(encodeContent(entry)));
    return { entry: await signEntry(signing, entry), state: after };
  });
