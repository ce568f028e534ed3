// Runs in a page of every engine as `lab`: the cryptography of groups, without store or network.
import { createGroupKey } from '../../packages/crypto/src/channel.ts';
import { KIND_GROUP_MESSAGE, openPost, sealPost } from '../../packages/crypto/src/channel-seal.ts';
import { readGroupMessage } from '../../packages/crypto/src/group-message.ts';
import { act, addition, NOW, pairOf, people, someGroup } from '../../packages/crypto/src/group-suite.ts';
import { generateSealingPair } from '../../packages/crypto/src/keys.ts';
import { seal } from '../../packages/crypto/src/seal.ts';
import { decryptGroupMessage } from '../../packages/crypto/src/sender-key-receive.ts';
import { encryptGroupMessage, handOverSenderKey } from '../../packages/crypto/src/sender-key.ts';
import { conversation } from '../../packages/crypto/src/session-suite.ts';
import { KIND_SESSION } from '../../packages/crypto/src/session-body.ts';
import { encryptKey } from '../../packages/crypto/src/session.ts';
import { toBase64url } from '../../packages/crypto/src/bytes.ts';
import { random } from '../../packages/crypto/src/test-support.ts';

const timed = async (times: number, work: () => Promise<void>): Promise<number> => {
  await work();
  const start = performance.now();
  for (let n = 0; n < times; n += 1) await work();
  return (performance.now() - start) / times;
};

/** A group of so many, as who made it has it. */
const groupOf = async (size: number) => {
  const [ann] = await people(1);
  const { keys, state } = await someGroup(ann!);
  const others = Array.from({ length: size - 1 }, () => ({ account: toBase64url(random(32)) }));
  const all = size > 1 ? (await act(state, ann!, addition(...others))).state : state;
  return { ann: ann!, keys, state: all };
};

/** In ms each: a text sealed for the group, and opened by a member. */
export const texts = async (size: number, times: number): Promise<{ send: number; receive: number }> => {
  const { ann, keys, state } = await groupOf(size);
  let { own, keys: theirs } = await pairOf(state, ann);
  const posts: Uint8Array<ArrayBuffer>[] = [];
  const send = await timed(times, async () => {
    const made = await encryptGroupMessage({ own, state, content: random(200), now: NOW });
    own = made.own;
    posts.push(await sealPost({ keys, state, kind: KIND_GROUP_MESSAGE, body: made.message }));
  });
  const all = posts.values();
  const receive = await timed(times, async () => {
    const { epoch, body } = await openPost([keys.channel], all.next().value!);
    const message = readGroupMessage(body);
    const result = await decryptGroupMessage({ keys: theirs, state, epoch, message, now: NOW });
    if (result.outcome !== 'message') throw new Error(result.outcome);
    theirs = result.state;
  });
  return { send, receive };
};

/** In ms for each member: a key handed over in the session with one device. */
export const handOvers = async (times: number): Promise<number> => {
  const { ann, state } = await groupOf(2);
  const { own } = await pairOf(state, ann);
  const { handed } = await handOverSenderKey({ own, state, now: NOW });
  const { a, b } = await conversation();
  const { publicKey } = await generateSealingPair();
  const to = { account: b.account, device: b.device, sealingKey: { id: 1, publicKey } };
  let peer = a.peers.get(b.device)!;
  return timed(times, async () => {
    const made = await encryptKey({ state: peer, ...handed, now: NOW });
    peer = made.state;
    const from = { account: a.account, device: a.device };
    await seal({ from, to, kind: KIND_SESSION, body: made.body });
  });
};

/** In ms: a new channel key, and the entry that names it, with a state of so many members. */
export const removal = async (size: number, times: number): Promise<number> => {
  const { ann, state } = await groupOf(size);
  return timed(times, async () => {
    const { id } = await createGroupKey('channel', state.group);
    const first = state.members.find(({ role }) => role === 'member');
    await act(state, ann, { kind: 'remove', accounts: [first!.account], channel: id });
  });
};
