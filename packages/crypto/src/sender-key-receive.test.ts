import { beforeAll, describe, expect, it } from 'vitest';
import { concat, toBase64url, utf8, type Bytes } from './bytes.ts';
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
import { bind, readGroupMessage, signedBytes, type GroupMessage } from './group-message.ts';
import { generateSigningKey, sign } from './keys.ts';
import { I, LABELS } from './labels.ts';
import { MAX_FORWARD_JUMP, MAX_SKIPPED, SKIPPED_LIFETIME } from './limits.ts';
import type { GroupState } from './membership-state.ts';
import {
  acceptSenderKey,
  decryptGroupMessage,
  MAX_COUNTERS,
  MAX_OLD_SENDER_KEYS,
  pruneSenderKeys,
  type SenderKeys,
} from './sender-key-receive.ts';
import { createSenderKey, encryptGroupMessage, handOverSenderKey, type SenderKey } from './sender-key.ts';
import { nextChain } from './step.ts';
import { flipped, random } from './test-support.ts';

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
    const { state: ahead } = await act(state, alice!, removal(bob!));
    const { own: fresh, keys: theirs } = await pairOf(ahead, alice!);
    const [message] = (await encryptAll(fresh, ahead, texts(1))).messages;
    const request = { keys: theirs, epoch: ahead.epoch, message: message!, now: NOW };
    expect(await codeOf(() => decryptGroupMessage({ ...request, state }))).toBe('membership-gap');
    const result = await decryptGroupMessage({ ...request, state: ahead });
    expect(result).toMatchObject({ outcome: 'message', standing: { view: 'current' } });
  });
});

describe('must 5 bounds', () => {
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
