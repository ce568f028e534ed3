// What `npm run bench -- crypto` measures. Bundled once; runs in a page of Chromium and in Node.
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import { decryptAttachment, encryptAttachment } from '../packages/crypto/src/attachment.ts';
import { toBase64url, utf8, type Bytes } from '../packages/crypto/src/bytes.ts';
import { openPost, sealPost } from '../packages/crypto/src/channel-seal.ts';
import { readGroupMessage } from '../packages/crypto/src/group-message.ts';
import { act, addition, NOW as GROUP_NOW, pairOf, someGroup } from '../packages/crypto/src/group-suite.ts';
import { decryptGroupMessage } from '../packages/crypto/src/sender-key-receive.ts';
import { encryptGroupMessage } from '../packages/crypto/src/sender-key.ts';
import { someDevice } from '../packages/crypto/src/test-support.ts';
import * as hpke from '../packages/crypto/src/hpke.ts';
import { generateKemPair } from '../packages/crypto/src/kem.ts';
import { generateSealingPair, generateSigningKey, sign, verify } from '../packages/crypto/src/keys.ts';
import { MAX_CONSUMED } from '../packages/crypto/src/limits.ts';
import { decrypt, encrypt, startSession } from '../packages/crypto/src/session.ts';
import {
  conversation,
  named,
  NOW,
  publicDevice,
  takeBundle,
  testDevice,
  type TestDevice,
} from '../packages/crypto/src/session-suite.ts';
import * as bare from './bare.ts';
import { interleave, time, timed, type Figure } from './measure.ts';

const TEXT = bare.random(1024);
const BARE = 'bare WebCrypto';

/** How often: medians of so many batches, each of so many calls. */
export interface Effort {
  batches: number;
  batch: number;
  /** Of the attachment. */
  megabytes: number;
}

const send = async (from: TestDevice, to: TestDevice): Promise<Bytes> => {
  const { state, body } = await encrypt({ state: from.peers.get(to.device)!, plaintext: TEXT, now: NOW });
  from.peers.set(to.device, state);
  return body;
};

const receive = async (to: TestDevice, from: TestDevice, body: Bytes): Promise<void> => {
  const result = await decrypt({
    me: to,
    peer: publicDevice(from),
    state: to.peers.get(from.device),
    prekeys: named(to, body),
    body,
    now: NOW,
  });
  if (result.outcome !== 'message') throw new Error(result.outcome);
  to.peers.set(from.device, result.state);
};

/** Two who have written so much that as many used counters are remembered as ever will be. */
const oldConversation = async () => {
  const { a, b } = await conversation();
  for (let i = 0; i < MAX_CONSUMED; i += 1) await receive(b, a, await send(a, b));
  for (let i = 0; i < MAX_CONSUMED; i += 1) await receive(a, b, await send(b, a));
  return { a, b };
};

/** Encrypt and decrypt of a session as it stands, and both as one way; the same bare. */
const messages = async ({ batches, batch }: Effort): Promise<Figure[]> => {
  const { a, b } = await oldConversation();
  let chain = await bare.importHkdf();
  let bodies: Bytes[] = [];
  let sealed: Awaited<ReturnType<typeof bare.sendMessage>>[] = [];
  const chains = [chain];
  const [ours, oursBack, theirs, theirsBack] = await interleave(
    [
      async (count) => {
        bodies = [];
        return timed(async () => bodies.push(await send(a, b)))(count);
      },
      (count) => timed(async () => receive(b, a, bodies.shift()!))(count),
      async (count) => {
        sealed = [];
        chains.length = 0;
        return timed(async () => {
          const made = await bare.sendMessage(chain, TEXT);
          chains.push(chain);
          chain = made.next;
          sealed.push(made);
        })(count);
      },
      (count) =>
        timed(async () => {
          const { iv, sealed: bytes } = sealed.shift()!;
          await bare.receiveMessage(chains.shift()!, iv, bytes);
        })(count),
    ],
    { batches, batch },
  );
  return [
    time('encrypt', ours!, theirs!, BARE),
    time('decrypt', oursBack!, theirsBack!, BARE),
    time('one way', ours! + oursBack!, theirs! + theirsBack!, BARE, 1.3),
  ];
};

const turns = async ({ batches, batch }: Effort): Promise<Figure[]> => {
  const { a, b } = await oldConversation();
  const [own, root] = await Promise.all([bare.generate(), bare.importHkdf()]);
  const parties = { own, peer: a.identity.publicKey, root };
  const [ours, theirs] = await interleave(
    [
      timed(async () => {
        await receive(b, a, await send(a, b));
        await receive(a, b, await send(b, a));
      }),
      timed(() => bare.turn(parties, TEXT)),
    ],
    { batches, batch },
  );
  return [time('turn', ours!, theirs!, BARE, 1.3)];
};

const hasNativeKem = (): boolean => 'encapsulateKey' in crypto.subtle;

/** Does `work` as an engine without ML-KEM would. */
const withoutNativeKem = async <T>(work: () => Promise<T>): Promise<T> => {
  if (!hasNativeKem()) return work();
  const type = globalThis.SubtleCrypto as unknown as { supports: unknown };
  const { supports } = type;
  type.supports = () => false;
  try {
    return await work();
  } finally {
    type.supports = supports;
  }
};

const handshakes = async (name: string, { batches, batch }: Effort): Promise<Figure[]> => {
  const [me, own, root, kem, signing] = await Promise.all([
    testDevice(0),
    bare.generate(),
    bare.importHkdf(),
    generateKemPair(),
    generateSigningKey(),
  ]);
  const statement = bare.random(200);
  const keys = {
    own,
    peer: me.identity.publicKey,
    root,
    kem,
    signing: signing.publicKey,
    signature: await sign(signing.privateKey, statement),
    statement,
  };
  // A one-time prekey, as a rule: the owner of a fresh one each time, made outside of what is timed.
  let owners: TestDevice[] = [];
  const [ours, theirs] = await interleave(
    [
      async (count) => {
        owners = await Promise.all(Array.from({ length: count }, () => testDevice(1)));
        return timed(async () => {
          const owner = owners.pop()!;
          const { state } = await startSession({
            me,
            peer: publicDevice(owner),
            bundle: takeBundle(owner),
            now: NOW,
          });
          const { body } = await encrypt({ state, plaintext: TEXT, now: NOW });
          await receive(owner, me, body);
        })(count);
      },
      timed(() => bare.handshake(keys, TEXT)),
    ],
    { batches, batch },
  );
  return [time(name, ours!, theirs!, BARE)];
};

/** What everyone in a group has to do for one message; the hand-overs are not among it. */
const groups = async (members: number, { batches, batch }: Effort): Promise<Figure[]> => {
  const owner = await someDevice();
  const { group, keys, state: alone } = await someGroup(owner);
  const others = Array.from({ length: members - 1 }, () => ({ account: toBase64url(bare.random(32)) }));
  const { state } = await act(alone, owner, addition(...others));
  const pair = await pairOf(state, owner);
  let { own, keys: received } = pair;
  if (own.group !== group || state.members.length !== members) throw new Error('another group');
  let posts: Bytes[] = [];
  const post = async () => {
    const sent = await encryptGroupMessage({ own, state, content: TEXT, now: GROUP_NOW });
    own = sent.own;
    return sealPost({ keys, state, kind: 1, body: sent.message });
  };
  const take = async (sealed: Bytes) => {
    const { epoch, body } = await openPost([keys.channel], sealed);
    const message = readGroupMessage(body);
    const result = await decryptGroupMessage({ keys: received, state, epoch, message, now: GROUP_NOW });
    if (result.outcome !== 'message') throw new Error(result.outcome);
    received = result.state;
  };
  const first = await post();
  await take(first);
  const bareKeys: bare.GroupKeys = {
    chain: await bare.importHkdf(),
    channel: keys.channel.key,
    signing: owner.signing,
    length: first.length,
  };
  let sent: bare.SentGroup[] = [];
  const [ours, oursBack, theirs, theirsBack] = await interleave(
    [
      async (count) => {
        posts = [];
        return timed(async () => posts.push(await post()))(count);
      },
      timed(() => take(posts.shift()!)),
      async (count) => {
        sent = [];
        return timed(async () => sent.push(await bare.sendGroup(bareKeys, TEXT)))(count);
      },
      timed(() => bare.receiveGroup(bareKeys, sent.shift()!)),
    ],
    { batches, batch },
  );
  return [
    time(`group of ${members}, encrypt`, ours!, theirs!, BARE),
    time(`group of ${members}, decrypt`, oursBack!, theirsBack!, BARE),
  ];
};

const sealing = async ({ batches, batch }: Effort): Promise<Figure[]> => {
  const recipient = await generateSealingPair();
  const suite = hpke.AES_256_GCM;
  const [info, aad] = [utf8('info'), utf8('aad')];
  const request = { suite, recipient: recipient.publicKey, info, aad, plaintext: TEXT };
  const sealed = await hpke.seal(request);
  const other = new CipherSuite({
    kem: new DhkemP256HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  });
  const pair = await other.kem.generateKeyPair();
  const otherSealed = await other.seal(
    { recipientPublicKey: pair.publicKey, info: info.buffer },
    TEXT.buffer,
    aad.buffer,
  );
  const [seal, sealBare, sealOther, open, openBare, openOther] = await interleave(
    [
      timed(() => hpke.seal(request)),
      timed(() => bare.hpkeSeal(recipient.publicKey, TEXT)),
      timed(() =>
        other.seal({ recipientPublicKey: pair.publicKey, info: info.buffer }, TEXT.buffer, aad.buffer),
      ),
      timed(() => hpke.open({ suite, recipient, info, aad, ...sealed })),
      timed(() => bare.hpkeSeal(recipient.publicKey, TEXT, recipient.privateKey)),
      timed(() =>
        other.open(
          { recipientKey: pair, enc: otherSealed.enc, info: info.buffer },
          otherSealed.ct,
          aad.buffer,
        ),
      ),
    ],
    { batches, batch },
  );
  return [
    time('HPKE seal', seal!, sealBare!, BARE),
    time('HPKE open', open!, openBare!, BARE),
    time('HPKE seal', seal!, sealOther!, '@hpke/core'),
    time('HPKE open', open!, openOther!, '@hpke/core'),
  ];
};

const signatures = async ({ batches, batch }: Effort): Promise<Figure[]> => {
  const { publicKey, privateKey } = await generateSigningKey();
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const signature = await sign(privateKey, TEXT);
  const [signed, signedBare, verified, verifiedBare] = await interleave(
    [
      timed(() => sign(privateKey, TEXT)),
      timed(() => crypto.subtle.sign(algorithm, privateKey, TEXT)),
      timed(() => verify(publicKey, signature, TEXT)),
      timed(async () => {
        const key = await crypto.subtle.importKey('raw', publicKey, algorithm, true, ['verify']);
        return crypto.subtle.verify(algorithm, key, signature, TEXT);
      }),
    ],
    { batches, batch },
  );
  return [time('sign', signed!, signedBare!, BARE), time('verify', verified!, verifiedBare!, BARE)];
};

const attachments = async ({ megabytes }: Effort): Promise<Figure[]> => {
  const chunks = Array.from({ length: megabytes * 4 }, () => new Uint8Array(bare.CHUNK).fill(7));
  const key = await crypto.subtle.importKey('raw', bare.random(32), 'AES-GCM', false, ['encrypt', 'decrypt']);
  const sealed: Bytes[] = [];
  const reference = await encryptAttachment({
    source: chunks,
    write: (chunk) => {
      sealed.push(chunk);
    },
  });
  const iv = bare.random(12);
  const bareSealed = await bare.sealedChunks(key, iv, chunks);
  const write = () => {};
  const times = await interleave(
    [
      timed(() => encryptAttachment({ source: chunks, write })),
      timed(() => bare.sealChunks(key, chunks)),
      timed(() => bare.sealChunks(key, chunks, true)),
      timed(() => decryptAttachment({ reference, source: sealed, write })),
      timed(() => bare.openChunks(key, iv, bareSealed)),
      timed(() => bare.openChunks(key, iv, bareSealed, true)),
    ],
    { batches: 15, batch: 1 },
  );
  const speeds = times.map((micros) => (chunks.length * bare.CHUNK) / micros);
  const [encrypted, encryptedBare, encryptedHashed, decrypted, decryptedBare, decryptedHashed] = speeds;
  const speed = (name: string, value: number, reference: number, against: string): Figure => ({
    name,
    value,
    unit: 'MB/s',
    reference,
    against,
    ratio: value / reference,
  });
  const [loop, hashedLoop] = ['bare AES-GCM loop', 'bare AES-GCM and SHA-256'];
  return [
    { ...speed('attachment encrypt', encrypted!, encryptedBare!, loop), goal: 0.8 },
    { ...speed('attachment decrypt', decrypted!, decryptedBare!, loop), goal: 0.8 },
    speed('attachment encrypt', encrypted!, encryptedHashed!, hashedLoop),
    speed('attachment decrypt', decrypted!, decryptedHashed!, hashedLoop),
  ];
};

/** Every figure of this engine. */
export const measure = async (effort: Effort): Promise<Figure[]> => [
  ...(await messages(effort)),
  ...(await turns(effort)),
  ...(hasNativeKem() ? await handshakes('handshake, native ML-KEM', effort) : []),
  ...(await withoutNativeKem(() => handshakes('handshake, ML-KEM in script', effort))),
  ...(await groups(10, effort)),
  ...(await groups(100, effort)),
  ...(await groups(1000, effort)),
  ...(await sealing(effort)),
  ...(await signatures(effort)),
  ...(await attachments(effort)),
];
