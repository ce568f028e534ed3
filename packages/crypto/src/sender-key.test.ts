import { beforeAll, describe, expect, it } from 'vitest';
import { concat, toBase64url, u16, u32, utf8, type Bytes } from './bytes.ts';
import {
  act,
  addition,
  carried,
  codeOf,
  encryptAll,
  NOW,
  pairOf,
  people,
  removal,
  someGroup,
  type Person,
} from './group-suite.ts';
import { generateCarrier, openCarrier } from './group-carrier.ts';
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
import { generateSigningKey, sign } from './keys.ts';
import { I, LABELS } from './labels.ts';
import { DAY, MAX_FORWARD_JUMP, MAX_SKIPPED, SKIPPED_LIFETIME } from './limits.ts';
import type { GroupState } from './membership-state.ts';
import {
  acceptSenderKey,
  decryptGroupMessage,
  groupOfSenderKey,
  MAX_COUNTERS,
  MAX_OLD_SENDER_KEYS,
  pruneSenderKeys,
  type ReceivedMessage,
  type SenderKeys,
} from './sender-key-receive.ts';
import {
  createSenderKey,
  encodeHandOver,
  encryptGroupMessage,
  handOverSenderKey,
  isSenderKeyDue,
  retireSenderKey,
  SENDER_KEY_COUNTERS,
  SENDER_KEY_LIFETIME,
  type SenderKey,
} from './sender-key.ts';
import { messageKey, nextChain } from './step.ts';
import { BAD_POINTS, flipped, random, unchanged } from './test-support.ts';

let [alice, bob, carol]: Person[] = [];
let state: GroupState;
let own: SenderKey;
let keys: SenderKeys;

beforeAll(async () => {
  [alice, bob, carol] = await people(3);
  const made = await someGroup(alice!);
  ({ state } = await act(made.state, alice!, addition(bob!, carol!)));
  ({ own, keys } = await pairOf(state, alice!));
});

const receive = (message: GroupMessage, to: SenderKeys | undefined = keys, now = NOW) =>
  decryptGroupMessage({ keys: to, state, epoch: state.epoch, message, now });
const refused = (message: GroupMessage, to: SenderKeys | null = keys, now = NOW) =>
  codeOf(() => decryptGroupMessage({ keys: to ?? undefined, state, epoch: state.epoch, message, now }));
const opened = async (received: Promise<ReceivedMessage>) => {
  const result = await received;
  if (result.outcome !== 'message') throw new Error(result.outcome);
  return result;
};
const texts = (count: number) => Array.from({ length: count }, (_, i) => utf8(`message ${i}`));

/** What Alice hands over from `from` on. */
const handed = async (from = own) => {
  const given = await handOverSenderKey({ own: from, state, now: NOW });
  return { own: given.own, handed: await carried(given.handed) };
};
const accept = (to: SenderKeys | undefined, given: Awaited<ReturnType<typeof carried>>, from = alice!) =>
  acceptSenderKey({ state: to, group: state.group, from, handed: given, now: NOW });

/** A message at the very chain position of `own`, with whatever is wrong with it put right by Alice's own keys. */
const forge = async (
  change: {
    stateHash?: Bytes;
    n?: number;
    tag?: Bytes;
    commitTo?: Bytes;
    ciphertext?: Bytes;
    signing?: SenderKey['signing'];
    label?: (bytes: Bytes) => Bytes;
  } = {},
  at = own,
) => {
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

describe('refused as a group message', () => {
  it('one with any byte changed, or cut', async () => {
    const sent = await encryptGroupMessage({ own, state, content: utf8('content'), now: NOW });
    const { message } = sent;
    const attempt = (bytes: Bytes) => codeOf(() => receive(readGroupMessage(bytes)));
    const codes = ['cannot-decrypt', 'sender-key-unknown'];
    for (let at = 0; at < message.length; at += 1) {
      expect(codes, `byte ${at}`).toContain(await attempt(flipped(message, at)));
      expect(codes, `${at} bytes`).toContain(await attempt(message.slice(0, at)));
    }
    expect(await attempt(concat(message, new Uint8Array(1)))).toBe('cannot-decrypt');
    expect(await attempt(message)).toBe('nothing was thrown');
  });

  it('must 2 one that claims another sender, group, key or counter, by the keys of that sender or of another', async () => {
    const [message] = (await encryptAll(own, state, texts(1))).messages;
    const { keys: bobs } = await pairOf(state, bob!);
    const from = { account: bob!.account, device: bob!.device };
    const changes: [Partial<GroupMessage>, SenderKeys | null, string][] = [
      [{ from }, keys, 'cannot-decrypt'],
      [{ from }, bobs, 'sender-key-unknown'],
      [{}, bobs, 'cannot-decrypt'],
      [{}, null, 'sender-key-unknown'],
      [{ from }, { ...keys, from }, 'cannot-decrypt'],
      [{}, { ...keys, from: { ...from, device: alice!.device } }, 'cannot-decrypt'],
      [{}, { ...keys, from: { ...from, account: alice!.account } }, 'cannot-decrypt'],
      [{ from: { ...message!.from, device: bob!.device } }, keys, 'cannot-decrypt'],
      [{ group: toBase64url(random(16)) }, keys, 'cannot-decrypt'],
      [{ chainId: toBase64url(random(16)) }, keys, 'sender-key-unknown'],
      [{ n: message!.n + 1 }, keys, 'cannot-decrypt'],
      [{ stateHash: random(32) }, keys, 'cannot-decrypt'],
    ];
    for (const [i, [change, to, code]] of changes.entries()) {
      expect(await refused({ ...message!, ...change }, to), `${i}`).toBe(code);
    }
    const { state: another } = await someGroup(alice!);
    const mixed = { keys, state: another, epoch: another.epoch, message: message!, now: NOW };
    expect(await codeOf(() => decryptGroupMessage(mixed))).toBe('cannot-decrypt');
    const elsewhere = { ...keys, group: toBase64url(random(16)) };
    expect(await refused(message!, elsewhere)).toBe('cannot-decrypt');
    // Under another sender's name, a known chain is not looked for.
    const asBobs: SenderKeys = { ...bobs, keys: keys.keys };
    expect(await refused({ ...message!, from }, asBobs)).toBe('cannot-decrypt');
  });

  it('one of another member, who holds the chain but not the signing key', async () => {
    await expect(receive(await forge())).resolves.toMatchObject({ outcome: 'message' });
    expect(await refused(await forge({ signing: await generateSigningKey() }))).toBe('cannot-decrypt');
  });

  it('A8 one that was signed under any other label, or under none', async () => {
    const bare = I('group', new Uint8Array(0)).length;
    for (const label of LABELS) {
      const message = await forge({ label: (bytes) => I(label, bytes.slice(bare)) });
      expect(await refused(message), label).toBe(label === 'group' ? 'nothing was thrown' : 'cannot-decrypt');
    }
    expect(await refused(await forge({ label: (bytes) => bytes.slice(bare) }))).toBe('cannot-decrypt');
  });

  it('one whose tag does not commit to it, though it is signed: members cannot be shown different texts', async () => {
    expect(await refused(await forge({ tag: random(32) }))).toBe('cannot-decrypt');
    expect(await refused(await forge({ commitTo: utf8('another text') }))).toBe('cannot-decrypt');
  });

  it('one that does not decrypt, though it is committed to and signed', async () => {
    expect(await refused(await forge({ ciphertext: random(40) }))).toBe('cannot-decrypt');
    expect(await refused(await forge({ ciphertext: new Uint8Array(0) }))).toBe('cannot-decrypt');
  });

  it('the signature is verified before the chain moves: a forged jump costs nothing', async () => {
    const [message] = (await encryptAll(own, state, texts(1))).messages;
    const far = { ...message!, n: 2 ** 32 - 1 };
    expect(await refused(far)).toBe('cannot-decrypt');
    expect(await refused(await forge({ n: 2 ** 32 - 1 }))).toBe('too-far-ahead');
  });

  it('A2 one under a state this client has not come to: the log is read first', async () => {
    const { state: ahead } = await act(state, alice!, removal(carol!));
    const { own: fresh, keys: theirs } = await pairOf(ahead, alice!);
    const [message] = (await encryptAll(fresh, ahead, texts(1))).messages;
    const request = { keys: theirs, epoch: ahead.epoch, message: message!, now: NOW };
    expect(await codeOf(() => decryptGroupMessage({ ...request, state }))).toBe('membership-gap');
    const result = await decryptGroupMessage({ ...request, state: ahead });
    expect(result).toMatchObject({ outcome: 'message', standing: { view: 'current' } });
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

describe('must 5 bounds', () => {
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

  it('a jump of 2,000 is followed, one of 2,001 is not; 1,000 keys are kept', async () => {
    let { chain } = own;
    for (let i = 0; i < MAX_FORWARD_JUMP; i += 1) chain = await nextChain(chain);
    const n = own.n + MAX_FORWARD_JUMP;
    // Honest senders do not come that far.
    const send = (at: SenderKey) => forge({}, at);
    expect(await refused(await send({ ...own, n: n + 1, chain: await nextChain(chain) }))).toBe(
      'too-far-ahead',
    );
    const { state: after, content } = await opened(receive(await send({ ...own, n, chain })));
    expect(content).toEqual(utf8('forged'));
    const [key] = after.keys;
    expect(key!.skipped).toHaveLength(MAX_SKIPPED);
    expect(key!.skipped[0]!.n).toBe(n - MAX_SKIPPED);
    expect(key!.consumed).toHaveLength(16 * MAX_COUNTERS);
    const { messages } = await encryptAll(own, state, texts(1));
    expect(await refused(messages[0]!, after)).toBe('message-expired');
    const second = (await encryptAll(own, state, texts(2))).messages[1]!;
    expect(await refused(second, after)).toBe('message-expired');
  }, 60_000);

  it('a skipped key is kept for 30 days, an old sender key as well', async () => {
    const { own: at, messages } = await encryptAll(own, state, texts(3));
    const { state: after } = await opened(receive(messages[2]!));
    expect((await opened(receive(messages[0]!, after, NOW + SKIPPED_LIFETIME - 1))).content).toEqual(
      texts(1)[0],
    );
    expect(await refused(messages[0]!, after, NOW + SKIPPED_LIFETIME)).toBe('message-expired');
    expect(pruneSenderKeys(after, NOW + SKIPPED_LIFETIME).keys[0]!.skipped).toEqual([]);
    const next = await handed(await createSenderKey({ state, owner: alice!, now: NOW }));
    const both = await accept(keys, next.handed);
    const later = (await encryptAll(at, state, texts(1))).messages[0]!;
    expect((await opened(receive(later, both, NOW + SKIPPED_LIFETIME - 1))).content).toEqual(texts(1)[0]);
    expect(await refused(later, both, NOW + SKIPPED_LIFETIME)).toBe('sender-key-unknown');
  });

  it('five old sender keys are kept', async () => {
    let at = keys;
    for (let i = 0; i < MAX_OLD_SENDER_KEYS; i += 1) {
      at = await accept(at, (await handed(await createSenderKey({ state, owner: alice!, now: NOW }))).handed);
    }
    const [message] = (await encryptAll(own, state, texts(1))).messages;
    expect((await opened(receive(message!, at))).content).toEqual(texts(1)[0]);
    at = await accept(at, (await handed(await createSenderKey({ state, owner: alice!, now: NOW }))).handed);
    expect(at.keys).toHaveLength(1 + MAX_OLD_SENDER_KEYS);
    expect(await refused(message!, at)).toBe('sender-key-unknown');
  });
});

describe('must 6 a counter that was used', () => {
  it('has no key any more, a skipped one neither', async () => {
    const { messages } = await encryptAll(own, state, texts(3));
    const { state: after } = await opened(receive(messages[2]!));
    expect(after.keys[0]!.skipped.map(({ n }) => n)).toEqual([own.n, own.n + 1]);
    const { state: then } = await opened(receive(messages[0]!, after));
    expect(then.keys[0]!.skipped.map(({ n }) => n)).toEqual([own.n + 1]);
  });

  it('is a duplicate for the same message, a rollback for another', async () => {
    const { messages } = await encryptAll(own, state, texts(3));
    const { messages: others } = await encryptAll(own, state, texts(3));
    let at = keys;
    for (const i of [2, 0, 1]) at = (await opened(receive(messages[i]!, at))).state;
    for (const [i, message] of messages.entries()) {
      expect(await receive(message, at)).toEqual({ outcome: 'duplicate' });
      expect(await receive(others[i]!, at)).toEqual({ outcome: 'rollback' });
    }
  });

  it('is not one when somebody else made the message up', async () => {
    const [message] = (await encryptAll(own, state, texts(1))).messages;
    const { state: after } = await opened(receive(message!));
    expect(await refused({ ...message!, ciphertext: random(40) }, after)).toBe('cannot-decrypt');
  });

  it('is a duplicate also when only the signature was made anew', async () => {
    const [message] = (await encryptAll(own, state, texts(1))).messages;
    const { state: after } = await opened(receive(message!));
    const bound = await bind(message!, message!.ciphertext);
    const signature = await sign(own.signing.privateKey, signedBytes(bound, message!.tag));
    expect(await receive({ ...message!, signature }, after)).toEqual({ outcome: 'duplicate' });
  });
});

describe('a hand-over', () => {
  it('of a key that is known changes nothing', async () => {
    const { messages } = await encryptAll(own, state, texts(2));
    const { state: after } = await opened(receive(messages[1]!));
    expect(await accept(after, (await handed()).handed)).toBe(after);
  });

  it('of a known key with another signing key is refused', async () => {
    const { handed: given } = await handed();
    const { publicKey: signing } = await generateSigningKey();
    const context = encodeHandOver({ ...own, n: own.n + 1, signing });
    expect(await codeOf(() => accept(keys, { ...given, context }))).toBe('cannot-decrypt');
  });

  it('in the name of another device does not touch that device', async () => {
    const { handed: given } = await handed();
    expect(await codeOf(() => accept(keys, given, bob))).toBe('cannot-decrypt');
    const device = { ...alice!, device: bob!.device };
    expect(await codeOf(() => accept(keys, given, device))).toBe('cannot-decrypt');
    const account = { ...alice!, account: bob!.account };
    expect(await codeOf(() => accept(keys, given, account))).toBe('cannot-decrypt');
  });

  it('for another group is refused', async () => {
    const { handed: given } = await handed();
    const request = { from: alice!, handed: given, now: NOW };
    const group = toBase64url(random(16));
    expect(await codeOf(() => acceptSenderKey({ ...request, state: undefined, group }))).toBe(
      'cannot-decrypt',
    );
    expect(await codeOf(() => acceptSenderKey({ ...request, state: keys, group }))).toBe('cannot-decrypt');
    const wrong = { ...keys, group };
    expect(await codeOf(() => accept(wrong, given))).toBe('cannot-decrypt');
  });

  it('A6 is refused when malformed: any length, and a key that is no point', async () => {
    const { handed: given } = await handed();
    const { context } = given;
    expect(groupOfSenderKey(context)).toBe(state.group);
    for (let length = 0; length < context.length; length += 1) {
      const cut = { ...given, context: context.slice(0, length) };
      expect(await codeOf(() => accept(undefined, cut)), `${length}`).toBe('cannot-decrypt');
      expect(groupOfSenderKey(cut.context)).toBeUndefined();
    }
    expect(await codeOf(() => accept(undefined, { ...given, context: concat(context, u32(0)) }))).toBe(
      'cannot-decrypt',
    );
    const length = 2 + 16;
    const short = concat(context.slice(0, length), u16(15), context.slice(length + 3));
    expect(await codeOf(() => accept(undefined, { ...given, context: short }))).toBe('cannot-decrypt');
    for (const [what, signing] of Object.entries(BAD_POINTS)) {
      const bad = { ...given, context: encodeHandOver({ ...own, signing }) };
      expect(await codeOf(() => accept(undefined, bad)), what).toBe('cannot-decrypt');
    }
  });

  it('of another secret opens nothing', async () => {
    const { handed: given } = await handed();
    const wrong = await accept(undefined, { ...given, key: await generateCarrier() });
    const later = await encryptAll((await handed()).own, state, texts(1));
    expect(await refused(later.messages[0]!, wrong)).toBe('cannot-decrypt');
  });
});
