import type { Address } from './address.ts';
import { toBase64url, utf8, type Bytes } from './bytes.ts';
import { createGroupKey, type GroupKeys } from './channel.ts';
import { CryptoError } from './errors.ts';
import type { Handed } from './group-carrier.ts';
import {
  bind,
  commitKey,
  committedBytes,
  encodeGroupHeader,
  encodeGroupMessage,
  gcm,
  readGroupMessage,
  signedBytes,
  type GroupMessage,
} from './group-message.ts';
import { sign, type KeyPair } from './keys.ts';
import { sortAccounts, type Operation } from './membership-operation.ts';
import type { GroupState } from './membership-state.ts';
import { createGroup, propose, type DeviceKeys } from './membership.ts';
import { acceptSenderKey, type ReceivedMessage, type SenderKeys } from './sender-key-receive.ts';
import { createSenderKey, encryptGroupMessage, handOverSenderKey, type SenderKey } from './sender-key.ts';
import { messageKey } from './step.ts';
import { random, someDevice } from './test-support.ts';

export type Person = Address & { signing: KeyPair };

export const NOW = 1_767_225_600_000;

export const people = (count: number): Promise<Person[]> =>
  Promise.all(Array.from({ length: count }, someDevice));

/** The verified chains of these people, so to speak. */
export const devicesOf = (persons: readonly Person[]): DeviceKeys => {
  const keys = new Map(persons.map((one) => [`${one.account} ${one.device}`, one.signing.publicKey]));
  return ({ account, device }) => keys.get(`${account} ${device}`);
};

/** A group of `owner` with its keys. */
export const someGroup = async (owner: Person) => {
  const group = toBase64url(random(16));
  const [channel, log] = await Promise.all([createGroupKey('channel', group), createGroupKey('log', group)]);
  const keys: GroupKeys = { channel, log };
  const signing = owner.signing.privateKey;
  const made = await createGroup({
    actor: owner,
    signing,
    createdAt: NOW,
    group,
    channel: channel.id,
    log: log.id,
  });
  return { group, keys, ...made };
};

/** `operation` by `actor`, with its state. */
export const act = (state: GroupState, actor: Person, operation: Operation) =>
  propose({ state, actor, signing: actor.signing.privateKey, createdAt: NOW, operation });

export const addition = (...persons: readonly { account: string }[]): Operation => ({
  kind: 'add',
  accounts: sortAccounts(persons.map(({ account }) => account)),
});

export const removal = (...persons: readonly { account: string }[]): Operation => ({
  kind: 'remove',
  accounts: sortAccounts(persons.map(({ account }) => account)),
  channel: random(32),
});

/** The code of the `CryptoError` that this throws; fails when it throws anything else or nothing. */
export const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
};

/** As a session hands it over: the receiver can only unwrap with it. */
export const carried = async ({ key, context }: Handed): Promise<Handed> => {
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', key));
  return { key: await crypto.subtle.importKey('raw', raw, 'AES-CTR', false, ['unwrapKey']), context };
};

/** A sender key and what one receiver has of it. */
export const pairOf = async (
  state: GroupState,
  owner: Person,
): Promise<{ own: SenderKey; keys: SenderKeys }> => {
  const made = await createSenderKey({ state, owner, now: NOW });
  const { own, handed } = await handOverSenderKey({ own: made, state, now: NOW });
  const given = await carried(handed);
  const { group } = state;
  const keys = await acceptSenderKey({ state: undefined, group, from: owner, handed: given, now: NOW });
  return { own, keys };
};

/** `contents` in turn. */
export const encryptAll = async (
  own: SenderKey,
  state: GroupState,
  contents: readonly Bytes[],
): Promise<{ own: SenderKey; messages: GroupMessage[] }> => {
  const messages: GroupMessage[] = [];
  let at = own;
  for (const content of contents) {
    const sent = await encryptGroupMessage({ own: at, state, content, now: NOW });
    messages.push(readGroupMessage(sent.message));
    at = sent.own;
  }
  return { own: at, messages };
};

export const texts = (count: number): Bytes[] =>
  Array.from({ length: count }, (_, i) => utf8(`message ${i}`));

/** What came of a message that has to open. */
export const opened = async (received: Promise<ReceivedMessage>) => {
  const result = await received;
  if (result.outcome !== 'message') throw new Error(result.outcome);
  return result;
};

/** What is to be wrong with a message. */
export interface Forgery {
  stateHash?: Bytes;
  n?: number;
  tag?: Bytes;
  commitTo?: Bytes;
  ciphertext?: Bytes;
  signing?: KeyPair;
  label?: (bytes: Bytes) => Bytes;
}

/** A message at the very chain position of `at`, with whatever is wrong with it put right by the sender's own keys. */
export const forgeMessage = async (
  at: SenderKey,
  state: GroupState,
  change: Forgery = {},
): Promise<GroupMessage> => {
  const { group, owner: from, chainId, n, chain } = at;
  const header = {
    group,
    from,
    chainId,
    n: change.n ?? n,
    stateHash: change.stateHash ?? state.hash,
    iv: random(12),
  };
  const key = await messageKey(chain, ['encrypt']);
  const algorithm = gcm(header.iv, encodeGroupHeader(header));
  const ciphertext =
    change.ciphertext ?? new Uint8Array(await crypto.subtle.encrypt(algorithm, key, utf8('forged')));
  const committed = committedBytes(await bind(header, change.commitTo ?? ciphertext));
  const tag =
    change.tag ?? new Uint8Array(await crypto.subtle.sign('HMAC', await commitKey(chain, 'sign'), committed));
  const signed = signedBytes(await bind(header, ciphertext), tag);
  const { privateKey } = change.signing ?? at.signing;
  const signature = await sign(privateKey, change.label?.(signed) ?? signed);
  return readGroupMessage(encodeGroupMessage({ ...header, tag, signature, ciphertext }));
};
