import { beforeAll, describe, expect, it } from 'vitest';
import { concat, toBase64url, u16, u32 } from './bytes.ts';
import {
  act,
  addition,
  carried,
  codeOf,
  encryptAll,
  NOW,
  opened,
  pairOf,
  people,
  someGroup,
  texts,
  type Person,
} from './group-suite.ts';
import { generateCarrier } from './group-carrier.ts';
import type { GroupMessage } from './group-message.ts';
import { generateSigningKey } from './keys.ts';
import type { GroupState } from './membership-state.ts';
import {
  acceptSenderKey,
  decryptGroupMessage,
  groupOfSenderKey,
  type SenderKeys,
} from './sender-key-receive.ts';
import { encodeHandOver, handOverSenderKey, type SenderKey } from './sender-key.ts';
import { BAD_POINTS, random } from './test-support.ts';

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
