import { concat, equal, lp, Reader, toBase64url, u32, u8, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { generateCarrier, openCarrier, type Carrier, type Handed } from './group-carrier.ts';
import { gcm, GCM_IV_BYTES } from './group-message.ts';
import type { PrivateKey } from './keys.ts';
import { I } from './labels.ts';
import { groupBytes } from './membership-operation.ts';
import { heldUntil, stateHashOf, type GroupState } from './membership-state.ts';
import { deriveGcm, type Opaque } from './step.ts';

/** `channel`: seals posts; new at every removal. `log`: seals the membership log; newcomers get it too. */
export type Purpose = 'channel' | 'log';

/** A key that all members of a group have. Plain data and CryptoKeys: it can be stored in IndexedDB as it is. */
export interface GroupKey {
  readonly purpose: Purpose;
  /** 16 bytes, base64url. */
  readonly group: string;
  /** Commits to the secret: 32 bytes. */
  readonly id: Bytes;
  /** AES-256-GCM, encrypts and decrypts. */
  readonly key: PrivateKey;
  /** The secret, wrapped under a key that only wraps and unwraps: to hand it to somebody else. */
  readonly kept: { readonly keeper: PrivateKey; readonly wrapped: Bytes };
}

/** What a member is handed: both keys of a group, and the state that they belong to. */
export interface GroupKeys {
  readonly channel: GroupKey;
  readonly log: GroupKey;
}

const HASH_BYTES = 32;
const WRAPPED_BYTES = GCM_IV_BYTES + 32 + 16;
const NONE = new Uint8Array(0);
const PURPOSES = ['channel', 'log'] as const;

const wrap = async (secret: Carrier, keeper: PrivateKey, bound: Bytes): Promise<Bytes> => {
  const iv = crypto.getRandomValues(new Uint8Array(GCM_IV_BYTES));
  return concat(iv, new Uint8Array(await crypto.subtle.wrapKey('raw', secret, keeper, gcm(iv, bound))));
};

/** An extractable carrier. Throws `cannot-decrypt`. */
const unwrap = async (wrapped: Bytes, keeper: PrivateKey, bound: Bytes): Promise<Carrier> => {
  const algorithm = gcm(wrapped.slice(0, GCM_IV_BYTES), bound);
  const secret = wrapped.slice(GCM_IV_BYTES);
  try {
    return await crypto.subtle.unwrapKey('raw', secret, keeper, algorithm, 'AES-CTR', true, ['unwrapKey']);
  } catch (error) {
    const refused = error instanceof Error && ['OperationError', 'DataError'].includes(error.name);
    throw refused ? new CryptoError('cannot-decrypt') : error;
  }
};

/** By which the log names the key: nobody can hand out two keys under one id. */
const commitment = async (secret: Opaque, purpose: Purpose, group: Bytes): Promise<Bytes> => {
  const mac = await crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(32), info: I(`${purpose}/id`, NONE) },
    secret,
    { name: 'HMAC', hash: 'SHA-256', length: 256 },
    false,
    ['sign'],
  );
  return new Uint8Array(await crypto.subtle.sign('HMAC', mac, lp(group)));
};

const take = async (purpose: Purpose, group: string, carrier: Carrier): Promise<GroupKey> => {
  const bytes = groupBytes(group);
  const [secret, keeper] = await Promise.all([
    openCarrier(carrier),
    crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['wrapKey', 'unwrapKey']),
  ]);
  const [id, key, wrapped] = await Promise.all([
    commitment(secret, purpose, bytes),
    deriveGcm(secret, purpose, lp(bytes), ['encrypt', 'decrypt']),
    wrap(carrier, keeper, NONE),
  ]);
  return { purpose, group, id, key, kept: { keeper, wrapped } };
};

/** A new key of a group. `carrier` is random unless given, for vectors alone. Throws `bad-encoding`. */
export const createGroupKey = async (purpose: Purpose, group: string, carrier?: Carrier): Promise<GroupKey> =>
  take(purpose, group, carrier ?? (await generateCarrier()));

/** The key that seals the fields of a group for who has `key`. */
export const fieldKey = async ({ group, kept }: GroupKey): Promise<PrivateKey> => {
  const secret = await openCarrier(await unwrap(kept.wrapped, kept.keeper, NONE));
  return deriveGcm(secret, 'field', lp(groupBytes(group)), ['encrypt', 'decrypt']);
};

/** `lp(group) u32(epoch) stateHash channel log`, under a label. */
const encodeHead = (head: {
  group: string;
  epoch: number;
  stateHash: Bytes;
  channel: Bytes;
  log: Bytes;
}): Bytes => {
  const { group, epoch, stateHash, channel, log } = head;
  return I('channel/keys', concat(lp(groupBytes(group)), u32(epoch), stateHash, channel, log));
};

const keeperOf = async (carrier: Carrier, usage: 'wrapKey' | 'unwrapKey'): Promise<PrivateKey> =>
  deriveGcm(await openCarrier(carrier), 'channel/hand-over', NONE, [usage]);

/**
 * Both keys for other members' devices: the same for as many as there are, one `encryptKey` in the session with each.
 * They travel under a key of their own, which is what the session carries. `handed.key` is extractable and must not be
 * stored. Throws `channel-key-due` for keys that are not those of `state`. `carrier` is for vectors alone.
 */
export const handOverGroupKeys = async (request: {
  keys: GroupKeys;
  state: GroupState;
  carrier?: Carrier;
}): Promise<Handed> => {
  const { keys, state, carrier } = request;
  checkInForce(state, keys);
  return handOver(keys, { epoch: state.epoch, stateHash: state.hash }, carrier);
};

/**
 * The same with a channel key that was in force before, for devices of the account `to` alone: the state that is named is the last
 * in which it was. Throws `channel-key-due` unless the log named the key, and `to` was a member then and ever since.
 */
export const handOverEarlierKeys = async (request: {
  keys: GroupKeys;
  state: GroupState;
  to: string;
}): Promise<Handed> => {
  const { keys, state, to } = request;
  const epoch = isOf(state, keys) ? heldUntil(state, keys.channel.id, to) : undefined;
  if (epoch === undefined) throw new CryptoError('channel-key-due');
  return handOver(keys, { epoch, stateHash: stateHashOf(state, epoch) });
};

const handOver = async (
  keys: GroupKeys,
  as: { epoch: number; stateHash: Bytes },
  carrier?: Carrier,
): Promise<Handed> => {
  const { group } = keys.log;
  const head = encodeHead({ group, ...as, channel: keys.channel.id, log: keys.log.id });
  const key = carrier ?? (await generateCarrier());
  const keeper = await keeperOf(key, 'wrapKey');
  const parts = await Promise.all(
    PURPOSES.map(async (purpose, i) => {
      const { kept } = keys[purpose];
      return wrap(await unwrap(kept.wrapped, kept.keeper, NONE), keeper, concat(head, u8(i)));
    }),
  );
  return { key, context: concat(head, ...parts) };
};

const LABEL_BYTES = I('channel/keys', NONE);

const readHandOver = (context: Bytes) => {
  try {
    const reader = new Reader(context);
    const labelled = equal(reader.take(LABEL_BYTES.length), LABEL_BYTES);
    const group = toBase64url(reader.lp());
    const epoch = reader.u32();
    const stateHash = reader.take(HASH_BYTES);
    const [channel, log] = [reader.take(HASH_BYTES), reader.take(HASH_BYTES)];
    const wrapped = [reader.take(WRAPPED_BYTES), reader.take(WRAPPED_BYTES)] as const;
    reader.end();
    if (!labelled) throw new CryptoError('cannot-decrypt');
    const stated = { group, epoch, stateHash, channel, log };
    return { stated, head: encodeHead(stated), wrapped };
  } catch (error) {
    throw error instanceof CryptoError ? new CryptoError('cannot-decrypt') : error;
  }
};

/** The group of handed-over group keys; undefined when something else was handed over. */
export const groupOfKeys = (context: Bytes): string | undefined => {
  try {
    return readHandOver(context).stated.group;
  } catch {
    return undefined;
  }
};

/**
 * Takes in keys that were handed over in a session with a member. They are those that the ids say; whether the ids are
 * those of the group is for `checkGroupKeys`, once the log has been read with the log key. Throws `cannot-decrypt`.
 */
export const acceptGroupKeys = async (
  handed: Handed,
): Promise<{ group: string; epoch: number; stateHash: Bytes; keys: GroupKeys }> => {
  const { stated, head, wrapped } = readHandOver(handed.context);
  const { group, epoch, stateHash } = stated;
  const keeper = await keeperOf(handed.key, 'unwrapKey');
  const one = async (purpose: Purpose, i: 0 | 1) => {
    const key = await take(purpose, group, await unwrap(wrapped[i], keeper, concat(head, u8(i))));
    if (!equal(key.id, stated[purpose])) throw new CryptoError('cannot-decrypt');
    return key;
  };
  const [channel, log] = await Promise.all([one('channel', 0), one('log', 1)]);
  return { group, epoch, stateHash, keys: { channel, log } };
};

/** Whether both are of the group, and the log key is that which its log names. */
const isOf = (state: GroupState, { channel, log }: GroupKeys): boolean =>
  channel.group === state.group && log.group === state.group && equal(log.id, state.log);

/** Throws `channel-key-due` unless these are the keys that the log names now, and nobody who left holds them. */
export const checkInForce = (state: GroupState, keys: GroupKeys): void => {
  const isNamed = equal(keys.channel.id, state.channel);
  if (!isOf(state, keys) || !isNamed || state.rekeyDue) throw new CryptoError('channel-key-due');
};
