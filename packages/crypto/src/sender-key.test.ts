import { beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from './bytes.ts';
import {
  act,
  addition,
  carried,
  codeOf,
  encryptAll,
  forgeMessage,
  NOW,
  opened,
  pairOf,
  people,
  removal,
  someGroup,
  texts,
  type Forgery,
  type Person,
} from './group-suite.ts';
import { openCarrier } from './group-carrier.ts';
import { gcm, type GroupMessage } from './group-message.ts';
import { DAY } from './limits.ts';
import type { GroupState } from './membership-state.ts';
import {
  acceptSenderKey,
  decryptGroupMessage,
  pruneSenderKeys,
  type SenderKeys,
} from './sender-key-receive.ts';
import {
  createSenderKey,
  encryptGroupMessage,
  handOverSenderKey,
  isSenderKeyDue,
  retireSenderKey,
  SENDER_KEY_COUNTERS,
  SENDER_KEY_LIFETIME,
  type SenderKey,
} from './sender-key.ts';
import { messageKey, nextChain } from './step.ts';
import { flipped, random, unchanged } from './test-support.ts';

let [alice, bob]: Person[] = [];
let state: GroupState;
let own: SenderKey;
let keys: SenderKeys;

beforeAll(async () => {
  [alice, bob] = await people(2);
  const made = await someGroup(alice!);
  ({ state } = await act(made.state, alice!, addition(bob!)));
  ({ own, keys } = await pairOf(state, alice!));
});

const receive = (message: GroupMessage, to: SenderKeys | undefined = keys, now = NOW) =>
  decryptGroupMessage({ keys: to, state, epoch: state.epoch, message, now });
const refused = (message: GroupMessage, to: SenderKeys | null = keys, now = NOW) =>
  codeOf(() => decryptGroupMessage({ keys: to ?? undefined, state, epoch: state.epoch, message, now }));

/** What Alice hands over from `from` on. */
const handed = async (from = own) => {
  const given = await handOverSenderKey({ own: from, state, now: NOW });
  return { own: given.own, handed: await carried(given.handed) };
};
const accept = (to: SenderKeys | undefined, given: Awaited<ReturnType<typeof carried>>, from = alice!) =>
  acceptSenderKey({ state: to, group: state.group, from, handed: given, now: NOW });
const forge = (change: Forgery = {}, at = own) => forgeMessage(at, state, change);

describe('a sender key', () => {
  it('gives everyone who was handed it the same messages, from one ciphertext', async () => {
    const { own: made, messages } = await encryptAll(own, state, texts(3));
    const { handed: given } = await handed(await createSenderKey({ state, owner: alice!, now: NOW }));
    expect(given.key.extractable).toBe(false);
    let at = keys;
    for (const [i, message] of messages.entries()) {
      const result = await opened(receive(message, at));
      expect(result.content).toEqual(texts(3)[i]);
      expect(result.standing).toEqual({ view: 'current', departed: false, role: 'owner' });
      at = result.state;
    }
    expect(made.n).toBe(own.n + 3);
  });

  it('carries an empty message and a long one', async () => {
    for (const content of [new Uint8Array(0), random(60_000)]) {
      const { messages } = await encryptAll(own, state, [content]);
      expect((await opened(receive(messages[0]!))).content).toEqual(content);
    }
  });

  it('opens nothing from before it was handed over; the counter of the hand-over is used up', async () => {
    const early = await encryptAll(own, state, texts(2));
    const { own: later, handed: given } = await handed(early.own);
    expect(later.n).toBe(early.own.n + 1);
    const newcomer = await accept(undefined, given);
    for (const message of early.messages) expect(await refused(message, newcomer)).toBe('message-expired');
    const { messages } = await encryptAll(later, state, texts(1));
    expect((await opened(receive(messages[0]!, newcomer))).content).toEqual(texts(1)[0]);
    // Nor once the newcomer has read more.
    const more = await encryptAll(later, state, texts(3));
    let at = newcomer;
    for (const message of more.messages) at = (await opened(receive(message, at))).state;
    for (const message of early.messages) expect(await refused(message, at)).toBe('message-expired');
    // Those who had the key before skip the counter.
    expect((await opened(receive(messages[0]!))).content).toEqual(texts(1)[0]);
  });

  it('is the next step of the chain, handed over', async () => {
    const { own: after, handed: given } = await handed();
    const read = async (chain: SenderKey['chain']) => {
      const key = await messageKey(chain, ['encrypt']);
      const algorithm = gcm(new Uint8Array(12), new Uint8Array(0));
      return new Uint8Array(await crypto.subtle.encrypt(algorithm, key, new Uint8Array(32)));
    };
    const expected = await read(await nextChain(own.chain));
    expect(await read(after.chain)).toEqual(expected);
    expect(await read(await openCarrier(given.key))).toEqual(expected);
  });

  it('has an id, a chain and a signing key that no other has', async () => {
    const other = await createSenderKey({ state, owner: alice!, now: NOW });
    expect(other.chainId).not.toBe(own.chainId);
    expect(other.signing.publicKey).not.toEqual(own.signing.publicKey);
    const { messages } = await encryptAll({ ...other, chainId: own.chainId }, state, texts(1));
    expect(await refused(messages[0]!)).toBe('cannot-decrypt');
  });

  it('keeps no key that script could export, and can be stored', async () => {
    for (const key of [own.chain, own.signing.privateKey, keys.keys[0]!.chain]) {
      expect(key.extractable).toBe(false);
      await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow();
    }
    const gap = (await encryptAll(own, state, texts(3))).messages[2]!;
    const { state: after } = await opened(receive(gap));
    const [skipped] = after.keys[0]!.skipped;
    expect([skipped!.key.extractable, skipped!.commit.extractable]).toEqual([false, false]);
    expect(structuredClone({ own, after })).toEqual({ own, after });
  });

  it('is made by members alone, for their group', async () => {
    const [outsider] = await people(1);
    expect(await codeOf(() => createSenderKey({ state, owner: outsider!, now: NOW }))).toBe(
      'membership-invalid',
    );
    const other = await someGroup(alice!);
    const request = { own, state: other.state, content: utf8('x'), now: NOW };
    expect(await codeOf(() => encryptGroupMessage(request))).toBe('membership-invalid');
    const { state: without } = await act(state, alice!, removal(bob!));
    const { own: bobs } = await pairOf(state, bob!);
    const byBob = { own: bobs, state: without, content: utf8('x'), now: NOW };
    expect(await codeOf(() => encryptGroupMessage(byBob))).toBe('membership-invalid');
  });
});

describe('must 3 and 4: what goes in stays as it was', () => {
  it('whether the operation succeeds or fails', async () => {
    const { messages } = await encryptAll(own, state, texts(3));
    const given = await handed();
    await unchanged([own, keys, state, messages, given], async () => {
      await receive(messages[2]!);
      await refused({ ...messages[1]!, tag: flipped(messages[1]!.tag, 0) });
      await accept(keys, given.handed);
      await codeOf(() => accept(keys, given.handed, bob));
      await encryptGroupMessage({ own, state, content: utf8('x'), now: NOW });
      await codeOf(() =>
        encryptGroupMessage({ own: retireSenderKey(own), state, content: utf8('x'), now: NOW }),
      );
      await handOverSenderKey({ own, state, now: NOW });
      pruneSenderKeys(keys, NOW + 90 * DAY);
    });
    expect((await opened(receive(messages[0]!))).content).toEqual(texts(1)[0]);
  });
});

describe('A2 A3 the membership that a message was sent under', () => {
  it('is flagged when it is an old one, and when it never was', async () => {
    const [message] = (await encryptAll(own, state, texts(1))).messages;
    const { state: without } = await act(state, alice!, removal(bob!));
    const request = { keys, message: message!, now: NOW };
    const late = await decryptGroupMessage({ ...request, state: without, epoch: state.epoch });
    expect(late).toMatchObject({ standing: { view: 'old', departed: true, role: 'owner' } });
    const forked = await receive(await forge({ stateHash: random(32) }));
    expect(forked).toMatchObject({ standing: { view: 'forked' } });
    const posted = await decryptGroupMessage({ ...request, state: without, epoch: without.epoch });
    expect(posted).toMatchObject({ standing: { view: 'forked' } });
  });

  it('A3 a removed device opens nothing that a sender who knows of it sends', async () => {
    const { state: after } = await act(state, alice!, removal(bob!));
    const request = { own, state: after, content: utf8('x'), now: NOW };
    expect(await codeOf(() => encryptGroupMessage(request))).toBe('sender-key-due');
    expect(await codeOf(() => handOverSenderKey(request))).toBe('sender-key-due');
    const fresh = await createSenderKey({ state: after, owner: alice!, now: NOW });
    const { own: ready } = await handOverSenderKey({ own: fresh, state: after, now: NOW });
    const [message] = (await encryptAll(ready, after, texts(1))).messages;
    const stolen = { keys, epoch: after.epoch, message: message!, now: NOW };
    expect(await codeOf(() => decryptGroupMessage({ ...stolen, state: after }))).toBe('sender-key-unknown');
    // Even when it takes its chain for the new one.
    const renamed = {
      ...keys,
      keys: [{ ...keys.keys[0]!, chainId: ready.chainId, signing: ready.signing.publicKey }],
    };
    expect(await codeOf(() => decryptGroupMessage({ ...stolen, keys: renamed, state: after }))).toBe(
      'cannot-decrypt',
    );
  });

  it('A3 somebody leaving, and a revoked device, make a new key due as well', async () => {
    const { state: left } = await act(state, bob!, { kind: 'leave' });
    expect(isSenderKeyDue(own, left, NOW)).toBe(true);
    const retired = retireSenderKey(own);
    expect(isSenderKeyDue(retired, state, NOW)).toBe(true);
    expect(await codeOf(() => handOverSenderKey({ own: retired, state, now: NOW }))).toBe('sender-key-due');
    expect(isSenderKeyDue(own, (await act(state, alice!, addition(...(await people(1))))).state, NOW)).toBe(
      false,
    );
    expect(isSenderKeyDue(await createSenderKey({ state: left, owner: alice!, now: NOW }), left, NOW)).toBe(
      false,
    );
  });
});

describe('must 5 a sender key', () => {
  it('a key is worn after seven days or 1,000 counters', async () => {
    const at = (change: Partial<SenderKey>, now = NOW) => isSenderKeyDue({ ...own, ...change }, state, now);
    expect([SENDER_KEY_LIFETIME, SENDER_KEY_COUNTERS]).toEqual([7 * DAY, 1_000]);
    expect(at({}, NOW + 7 * DAY - 1)).toBe(false);
    expect(at({}, NOW + 7 * DAY)).toBe(true);
    expect(at({ n: 999 })).toBe(false);
    expect(at({ n: 1_000 })).toBe(true);
    const worn = { own: { ...own, n: 1_000 }, state, content: utf8('x'), now: NOW };
    expect(await codeOf(() => encryptGroupMessage(worn))).toBe('sender-key-due');
    expect(await codeOf(() => encryptGroupMessage({ ...worn, own, now: NOW + 7 * DAY }))).toBe(
      'sender-key-due',
    );
  });
});
