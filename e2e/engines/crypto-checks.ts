import { decryptAttachment, encryptAttachment } from '../../packages/crypto/src/attachment.ts';
import { equal, type Bytes } from '../../packages/crypto/src/bytes.ts';
import { buildChain, join, newDevice, startChain } from '../../packages/crypto/src/chain-suite.ts';
import { verifyChain } from '../../packages/crypto/src/chain.ts';
import {
  act,
  addition,
  codeOf,
  encryptAll,
  NOW,
  opened,
  pairOf,
  people,
  someGroup,
  texts,
} from '../../packages/crypto/src/group-suite.ts';
import { createRecovery, openRecovery } from '../../packages/crypto/src/recovery.ts';
import { decryptGroupMessage } from '../../packages/crypto/src/sender-key-receive.ts';
import { conversation, read, write } from '../../packages/crypto/src/session-suite.ts';
import { flipped, random } from '../../packages/crypto/src/test-support.ts';

/** What two devices read in turns, with a message that comes late in each and states cloned as storing does. */
export const session = async (): Promise<(string | undefined)[]> => {
  const { a, b } = await conversation();
  const got: (string | undefined)[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const late = await write(a, b, `late ${turn}`);
    got.push((await read(b, a, await write(a, b, `early ${turn}`))).text);
    b.peers.set(a.device, structuredClone(b.peers.get(a.device)!));
    got.push((await read(b, a, late)).text);
    got.push((await read(a, b, await write(b, a, `back ${turn}`))).text);
  }
  return got;
};

/** What a member of a group reads of five messages, the last one first. */
export const group = async (): Promise<string[]> => {
  const [alice, bob] = await people(2);
  const { state: empty } = await someGroup(alice!);
  const { state } = await act(empty, alice!, addition(bob!));
  const pair = await pairOf(state, alice!);
  const { messages } = await encryptAll(pair.own, state, texts(5));
  let { keys } = pair;
  const got: string[] = [];
  for (const message of messages.toReversed()) {
    const { epoch } = state;
    const result = await opened(decryptGroupMessage({ keys, state, epoch, message, now: NOW }));
    keys = result.state;
    got.push(new TextDecoder().decode(result.content));
  }
  return got;
};

/** How many devices a chain has that a second one joined, and what is said of one that was changed. */
export const chain = async () => {
  const [first, second] = [await newDevice(), await newDevice()];
  const { events } = await buildChain(await startChain(first), (state) => join(state, first, second));
  const { devices } = await verifyChain(events);
  const last = events.at(-1)!;
  return {
    devices: [...devices].length,
    changed: await codeOf(() => verifyChain([events[0]!, flipped(last, last.length - 1)])),
  };
};

/** A file out of a Blob and back, and what is said of one that was changed. */
export const attachment = async () => {
  const file = new Blob(Array.from({ length: 10 }, () => random(60_000)));
  const sealed: Bytes[] = [];
  const reference = await encryptAttachment({
    source: file.stream(),
    write: (chunk) => void sealed.push(chunk),
  });
  const plain: Bytes[] = [];
  const ciphertext = new Blob(sealed);
  await decryptAttachment({
    reference,
    source: ciphertext.stream(),
    write: (chunk) => void plain.push(chunk),
  });
  const bytes = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());
  const changed = flipped(await bytes(ciphertext), 300_000);
  return {
    same: equal(await bytes(new Blob(plain)), await bytes(file)),
    changed: await codeOf(() => decryptAttachment({ reference, source: [changed], write: () => undefined })),
  };
};

/** Recovery keys out of their blob, and what is said of another secret. */
export const recovery = async () => {
  const [person] = await people(1);
  const { account } = person!;
  const secret = random(16);
  const { blob, signing } = await createRecovery({ account, secret });
  const again = await openRecovery({ account, secret, blob });
  return {
    same: equal(again.signing.publicKey, signing.publicKey),
    extractable: again.signing.privateKey.extractable,
    wrong: await codeOf(() => openRecovery({ account, secret: random(16), blob })),
  };
};
