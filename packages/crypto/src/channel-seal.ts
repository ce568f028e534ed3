import { concat, equal, lp, Reader, u32, u8, type Bytes } from './bytes.ts';
import { checkInForce, type GroupKey, type GroupKeys } from './channel.ts';
import { CryptoError } from './errors.ts';
import { gcm, GCM_IV_BYTES } from './group-message.ts';
import { groupBytes } from './membership-operation.ts';
import type { GroupState } from './membership-state.ts';
import { isPadded, pad } from './padding.ts';

/** The kind of a post that is a group message. */
export const KIND_GROUP_MESSAGE = 1;
/** And of one that is a signal, of use this moment only. */
export const KIND_GROUP_SIGNAL = 2;

/** What a link to a group shows, and a request to be let in by it: sealed under the key of the link. */
export const KIND_LINK_PREVIEW = 3;
export const KIND_JOIN_REQUEST = 4;

const VERSION = 1;
const KIND_ENTRY = 0;
const ID_BYTES = 32;

/** What a post is bound to, its group included, which does not stand in it. */
const bound = (group: string, epoch: number, id: Bytes): Bytes =>
  concat(u8(VERSION), lp(groupBytes(group)), u32(epoch), id);

/** What seals for a group. */
export type SealingKey = Pick<GroupKey, 'group' | 'id' | 'key'>;

export const seal = async (key: SealingKey, epoch: number, kind: number, body: Bytes): Promise<Bytes> => {
  const iv = crypto.getRandomValues(new Uint8Array(GCM_IV_BYTES));
  const plaintext = pad(concat(u8(kind), u32(body.length), body));
  const algorithm = gcm(iv, bound(key.group, epoch, key.id));
  const ciphertext = await crypto.subtle.encrypt(algorithm, key.key, plaintext);
  return concat(u8(VERSION), u32(epoch), key.id, iv, new Uint8Array(ciphertext));
};

/** The epoch and the key that a post names, which anybody can have written; undefined for what is none of this version. */
export const namedIn = (sealed: Uint8Array): { epoch: number; id: Bytes } | undefined => {
  if (sealed.length < 5 + ID_BYTES || sealed[0] !== VERSION) return undefined;
  const reader = new Reader(sealed.subarray(1));
  return { epoch: reader.u32(), id: reader.take(ID_BYTES) };
};

const readPlaintext = (plaintext: Bytes): { kind: number; body: Bytes } => {
  const reader = new Reader(plaintext);
  const kind = reader.u8();
  const body = reader.take(reader.u32());
  if (!isPadded(plaintext, plaintext.length - reader.rest().length)) throw new CryptoError('cannot-open');
  return { kind, body };
};

/** Throws as `openPost`. */
export const open = async (
  keys: readonly SealingKey[],
  sealed: Uint8Array,
): Promise<{ epoch: number; kind: number; body: Bytes }> => {
  try {
    const reader = new Reader(sealed);
    if (reader.u8() !== VERSION) throw new CryptoError('unsupported');
    const epoch = reader.u32();
    const id = reader.take(ID_BYTES);
    const iv = reader.take(GCM_IV_BYTES);
    const key = keys.find((one) => equal(one.id, id));
    if (!key) throw new CryptoError('channel-key-unknown');
    const algorithm = gcm(iv, bound(key.group, epoch, id));
    const plaintext = await crypto.subtle.decrypt(algorithm, key.key, reader.rest());
    return { epoch, ...readPlaintext(new Uint8Array(plaintext)) };
  } catch (error) {
    const local = error instanceof CryptoError && ['unsupported', 'channel-key-unknown'].includes(error.code);
    const refused =
      error instanceof CryptoError || (error instanceof Error && error.name === 'OperationError');
    throw refused && !local ? new CryptoError('cannot-open') : error;
  }
};

/**
 * What the relay stores and hands to every member: it shows the epoch, which key it is under, and a padded length.
 * Proves only that somebody with the channel key made it; the body has to prove who. Throws `channel-key-due` when
 * `keys` are not those in force.
 */
export const sealPost = async (request: {
  keys: GroupKeys;
  state: GroupState;
  /** What the body is: 0 to 255. */
  kind: number;
  body: Bytes;
}): Promise<Bytes> => {
  const { keys, state, kind, body } = request;
  checkInForce(state, keys);
  return seal(keys.channel, state.epoch, kind, body);
};

/**
 * Opens a post to the group whose channel keys, old ones included, are `channels`. Throws `unsupported` for another
 * version, `channel-key-unknown`, `cannot-open` for all else.
 */
export const openPost = (
  channels: readonly GroupKey[],
  post: Uint8Array,
): Promise<{ epoch: number; kind: number; body: Bytes }> =>
  open(
    channels.filter(({ purpose }) => purpose === 'channel'),
    post,
  );

/** An entry of the membership log as the relay keeps it; `epoch` is the entry's. */
export const sealEntry = async (log: GroupKey, epoch: number, entry: Bytes): Promise<Bytes> => {
  if (log.purpose !== 'log') throw new CryptoError('channel-key-unknown');
  return seal(log, epoch, KIND_ENTRY, entry);
};

/** Throws as `openPost`; what comes out is for `applyEntry` to judge, and its epoch to be compared there. */
export const openEntry = async (
  log: GroupKey,
  sealed: Uint8Array,
): Promise<{ epoch: number; entry: Bytes }> => {
  const { epoch, kind, body } = await open(log.purpose === 'log' ? [log] : [], sealed);
  if (kind !== KIND_ENTRY) throw new CryptoError('cannot-open');
  return { epoch, entry: body };
};
