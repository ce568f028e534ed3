import type { Address } from './address.ts';
import { concat, equal, Reader, toBase64url, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { openCarrier, type Handed } from './group-carrier.ts';
import {
  bind,
  commitKey,
  committedBytes,
  gcm,
  signedBytes,
  type Bound,
  type GroupMessage,
} from './group-message.ts';
import { checkPoint, sha256, verify, type PrivateKey } from './keys.ts';
import { MAX_FORWARD_JUMP, MAX_SKIPPED, SKIPPED_LIFETIME } from './limits.ts';
import { standingOf, type GroupState, type Standing } from './membership-state.ts';
import { encodeHandOver } from './sender-key.ts';
import { messageKey, nextChain, type MessageKey, type Opaque } from './step.ts';

/** Sender keys kept of one device beside the newest. */
export const MAX_OLD_SENDER_KEYS = 5;
/** Counters of one sender key whose fate is remembered: the latest. */
export const MAX_COUNTERS = 2_000;

/** The keys of a message that has not come yet. */
interface SkippedKeys {
  readonly n: number;
  readonly key: MessageKey;
  readonly commit: PrivateKey;
  /** Since when: milliseconds since 1970. */
  readonly at: number;
}

/** A sender key of somebody else. */
export interface ReceivedKey {
  readonly chainId: string;
  /** The public key that its messages are signed with: 65 bytes. */
  readonly signing: Bytes;
  readonly chain: Opaque;
  /** The counter at which the chain stands. */
  readonly n: number;
  /** The oldest first. */
  readonly skipped: readonly SkippedKeys[];
  /** 16 bytes for each of the counters before `n`, the latest last: a hash of the message that used it, or zeros. */
  readonly consumed: Bytes;
  /** Since when there is a newer one. */
  readonly replacedAt?: number;
}

/** What one device was handed by one other for one group. It can be stored in IndexedDB as it is. */
export interface SenderKeys {
  readonly group: string;
  readonly from: Address;
  /** The newest first. */
  readonly keys: readonly ReceivedKey[];
}

const HASH_BYTES = 16;

const isOld = (since: number, now: number) => now >= since + SKIPPED_LIFETIME;

/** Without keys past their time. */
export const pruneSenderKeys = (state: SenderKeys, now: number): SenderKeys => ({
  ...state,
  keys: state.keys
    .filter(({ replacedAt }) => replacedAt === undefined || !isOld(replacedAt, now))
    .map((key) => ({ ...key, skipped: key.skipped.filter(({ at }) => !isOld(at, now)) })),
});

const readHandOver = (context: Bytes) => {
  try {
    const reader = new Reader(context);
    const group = toBase64url(reader.lp());
    const chainId = toBase64url(reader.lp());
    const n = reader.u32();
    const signing = reader.lp();
    reader.end();
    checkPoint(signing);
    const key = { group, chainId, n, signing };
    // Lengths of ids.
    encodeHandOver(key);
    return key;
  } catch (error) {
    throw error instanceof CryptoError ? new CryptoError('cannot-decrypt') : error;
  }
};

/** The group of a handed-over sender key; undefined when something else was handed over. */
export const groupOfSenderKey = (context: Bytes): string | undefined => {
  try {
    return readHandOver(context).group;
  } catch {
    return undefined;
  }
};

/**
 * Takes in what `from` handed over in a session with it. One that is known already changes nothing. Throws
 * `cannot-decrypt` for what is malformed, for another group or device than that of `state`, and for a known id with
 * another signing key.
 */
export const acceptSenderKey = async (request: {
  state: SenderKeys | undefined;
  group: string;
  from: Address;
  handed: Handed;
  now: number;
}): Promise<SenderKeys> => {
  const { group, from, handed, now } = request;
  const fresh: SenderKeys = { group, from: { account: from.account, device: from.device }, keys: [] };
  const state = request.state ?? fresh;
  const { chainId, n, signing, group: named } = readHandOver(handed.context);
  const isSame =
    named === group &&
    state.group === group &&
    state.from.account === from.account &&
    state.from.device === from.device;
  if (!isSame) throw new CryptoError('cannot-decrypt');
  const known = state.keys.find((key) => key.chainId === chainId);
  if (known) {
    if (!equal(known.signing, signing)) throw new CryptoError('cannot-decrypt');
    return state;
  }
  const chain = await openCarrier(handed.key);
  const key: ReceivedKey = { chainId, signing, chain, n, skipped: [], consumed: new Uint8Array(0) };
  const old = state.keys.map((one) => ({ ...one, replacedAt: one.replacedAt ?? now }));
  return pruneSenderKeys({ ...state, keys: [key, ...old.slice(0, MAX_OLD_SENDER_KEYS)] }, now);
};

export type ReceivedMessage =
  | {
      readonly outcome: 'message';
      readonly state: SenderKeys;
      readonly content: Bytes;
      readonly standing: Standing;
    }
  /** `duplicate`: this very message came before. `rollback`: another one did under this counter. */
  | { readonly outcome: 'duplicate' | 'rollback' };

interface MessageKeys {
  readonly key: MessageKey;
  readonly commit: PrivateKey;
}

const keysAt = async (chain: Opaque): Promise<MessageKeys> => {
  const [key, commit] = await Promise.all([messageKey(chain, ['decrypt']), commitKey(chain, 'verify')]);
  return { key, commit };
};

/** The keys of counter `n`, with what that makes of the chain. */
const advance = async (from: ReceivedKey, n: number, now: number) => {
  if (n - from.n > MAX_FORWARD_JUMP) throw new CryptoError('too-far-ahead');
  const skipped = [...from.skipped];
  let { chain } = from;
  for (let at = from.n; at < n; at += 1) {
    // Those that there would be no room for are not made in the first place.
    const [keys, next] = await Promise.all([
      n - at <= MAX_SKIPPED ? keysAt(chain) : undefined,
      nextChain(chain),
    ]);
    if (keys) skipped.push({ n: at, ...keys, at: now });
    chain = next;
  }
  const [keys, next] = await Promise.all([keysAt(chain), nextChain(chain)]);
  return { keys, moved: { ...from, chain: next, n: n + 1, skipped: skipped.slice(-MAX_SKIPPED) } };
};

/** Where the hash of a counter before `key.n` stands in `consumed`; below zero when it is forgotten. */
const placeOf = (key: ReceivedKey, n: number): number => key.consumed.length - HASH_BYTES * (key.n - n);

/** The keys of a counter that the chain has passed, or what became of it. */
const lookBack = (key: ReceivedKey, n: number, hash: Bytes) => {
  const at = placeOf(key, n);
  if (at < 0) throw new CryptoError('message-expired');
  const used = key.consumed.subarray(at, at + HASH_BYTES);
  if (used.some((byte) => byte !== 0)) {
    return { outcome: equal(used, hash) ? ('duplicate' as const) : ('rollback' as const) };
  }
  const keys = key.skipped.find((skipped) => skipped.n === n);
  if (!keys) throw new CryptoError('message-expired');
  return { keys, moved: { ...key, skipped: key.skipped.filter((skipped) => skipped !== keys) } };
};

const open = async ({ key, commit }: MessageKeys, message: GroupMessage, bound: Bound): Promise<Bytes> => {
  const { iv, tag, ciphertext } = message;
  const isCommitted = await crypto.subtle.verify('HMAC', commit, tag, committedBytes(bound));
  if (!isCommitted) throw new CryptoError('cannot-decrypt');
  try {
    const algorithm = gcm(iv, bound.header);
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, ciphertext));
  } catch (error) {
    throw error instanceof Error && error.name === 'OperationError'
      ? new CryptoError('cannot-decrypt')
      : error;
  }
};

/** `moved` with what is remembered: all of `before`, nothing yet of the counters passed since, `hash` for `n`. */
const withConsumed = (before: ReceivedKey, moved: ReceivedKey, n: number, hash: Bytes): ReceivedKey => {
  const all = concat(before.consumed, new Uint8Array(HASH_BYTES * (moved.n - before.n)));
  const most = HASH_BYTES * MAX_COUNTERS;
  const after = { ...moved, consumed: all.length > most ? all.slice(-most) : all };
  after.consumed.set(hash, placeOf(after, n));
  return after;
};

/**
 * Takes in a message that `readGroupMessage` read; `keys` are those that its `from` handed over, `epoch` is that of
 * the post it came in. Its signature is verified before anything moves.
 *
 * Throws `sender-key-unknown`; `membership-gap` when the membership log has to be read first; `too-far-ahead`;
 * `message-expired` for a counter whose keys were given up; `cannot-decrypt` for all else.
 */
export const decryptGroupMessage = async (request: {
  keys: SenderKeys | undefined;
  state: GroupState;
  epoch: number;
  message: GroupMessage;
  now: number;
}): Promise<ReceivedMessage> => {
  const { keys: before, state, epoch, message, now } = request;
  const { group, from, chainId, n, tag, signature, ciphertext, stateHash } = message;
  if (group !== state.group) throw new CryptoError('cannot-decrypt');
  if (!before) throw new CryptoError('sender-key-unknown');
  const isTheirs =
    before.group === group && before.from.account === from.account && before.from.device === from.device;
  if (!isTheirs) throw new CryptoError('cannot-decrypt');
  const pruned = pruneSenderKeys(before, now);
  const key = pruned.keys.find((one) => one.chainId === chainId);
  if (!key) throw new CryptoError('sender-key-unknown');
  const bound = await bind(message, ciphertext);
  const signed = signedBytes(bound, tag);
  if (!(await verify(key.signing, signature, signed))) throw new CryptoError('cannot-decrypt');
  const standing = standingOf(state, { epoch, stateHash, account: from.account });
  const hash = (await sha256(signed)).slice(0, HASH_BYTES);
  const found = n < key.n ? lookBack(key, n, hash) : await advance(key, n, now);
  if ('outcome' in found) return found;
  const content = await open(found.keys, message, bound);
  const moved = withConsumed(key, found.moved, n, hash);
  const keys = pruned.keys.map((one) => (one === key ? moved : one));
  return { outcome: 'message', state: { ...pruned, keys }, content, standing };
};
