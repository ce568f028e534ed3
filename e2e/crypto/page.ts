// What the page of the crypto specs can be asked to do, some of it in every engine. Bundled.
import { toBase64url, utf8 } from '../../packages/crypto/src/bytes.ts';
import { openPost, sealPost } from '../../packages/crypto/src/channel-seal.ts';
import { acceptGroupKeys, createGroupKey, handOverGroupKeys } from '../../packages/crypto/src/channel.ts';
import type { Handed } from '../../packages/crypto/src/group-carrier.ts';
import { readGroupMessage } from '../../packages/crypto/src/group-message.ts';
import { createGroup, propose } from '../../packages/crypto/src/membership.ts';
import { acceptSenderKey, decryptGroupMessage } from '../../packages/crypto/src/sender-key-receive.ts';
import {
  createSenderKey,
  encryptGroupMessage,
  handOverSenderKey,
} from '../../packages/crypto/src/sender-key.ts';
import { startSession, decrypt, encrypt, encryptKey } from '../../packages/crypto/src/session.ts';
import { handshakeOf } from '../../packages/crypto/src/session-body.ts';
import {
  NOW,
  publicDevice,
  read,
  takeBundle,
  testDevice,
  write,
  type TestDevice,
} from '../../packages/crypto/src/session-suite.ts';
import {
  hasNativeKem,
  runSuite,
  type Outcome,
  type SuiteName,
} from '../../packages/crypto/wycheproof/checks.ts';
import { findLeaks, record, type Recorder } from './recorder.ts';

/** Runs the vectors of one Wycheproof file against this browser. */
export const wycheproof = async (name: SuiteName): Promise<Outcome> =>
  runSuite(name, await (await fetch(`/wycheproof/${name}.json`)).json());

export { hasNativeKem };

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** One message on the wire, and what it has to say. */
export interface Sent {
  from: 'a' | 'b';
  body: string;
  text: string;
}

export interface Observation {
  seen: number;
  secrets: string[];
  leaks: string[];
  unknown: string[];
  /** For the reference: what only a test may know. */
  wire: Sent[];
  privateKeys: Record<string, string>;
  th: string;
  handshake: { identityA: string; identityB: string; baseKey: string; signed: string; oneTime: string };
  kem: string;
}

const observed = async <T>(work: (recorder: Recorder) => Promise<T>): Promise<T> => {
  const recorder = record();
  try {
    return await work(recorder);
  } finally {
    recorder.stop();
  }
};

/** What the observation of a group adds: who sent what, as it lies within the seal of the channel. */
export interface GroupObservation extends Pick<Observation, 'seen' | 'secrets' | 'leaks' | 'unknown'> {
  messages: { message: string; text: string }[];
  kept: Exported;
}

/** A group of two: keys handed over inside a session, messages, and a second sender key after some. */
export const converseInGroup = (): Promise<GroupObservation> =>
  observed(async (recorder) => {
    const [a, b] = await Promise.all([testDevice(), testDevice()]);
    await read(b, a, await write(a, b, 'first'));
    const carry = async ({ key, context }: Handed): Promise<Handed> => {
      const sent = await encryptKey({ state: a.peers.get(b.device)!, key, context, now: NOW });
      a.peers.set(b.device, sent.state);
      const got = await read(b, a, sent.body);
      if (got.outcome !== 'message' || got.content.type !== 'key') throw new Error('no key came');
      return got.content;
    };
    const signing = a.signing.privateKey;
    const group = toBase64url(crypto.getRandomValues(new Uint8Array(16)));
    const [channel, log] = await Promise.all([
      createGroupKey('channel', group),
      createGroupKey('log', group),
    ]);
    const by = { actor: a, signing, createdAt: NOW };
    const made = await createGroup({ ...by, group, channel: channel.id, log: log.id });
    const { state } = await propose({
      ...by,
      state: made.state,
      operation: { kind: 'add', accounts: [b.account] },
    });
    const handed = await carry(await handOverGroupKeys({ keys: { channel, log }, state }));
    const { keys: received } = await acceptGroupKeys(handed);
    const messages: GroupObservation['messages'] = [];
    const stored: unknown[] = [channel, log, received];
    for (let round = 0; round < 2; round += 1) {
      const first = await handOverSenderKey({
        own: await createSenderKey({ state, owner: a, now: NOW }),
        state,
        now: NOW,
      });
      let { own } = first;
      let keys = await acceptSenderKey({
        state: undefined,
        group,
        from: a,
        handed: await carry(first.handed),
        now: NOW,
      });
      for (const text of [`one ${round}`, `two ${round}`, `three ${round}`]) {
        const sent = await encryptGroupMessage({ own, state, content: utf8(text), now: NOW });
        own = sent.own;
        messages.push({ message: hex(sent.message), text });
        const post = await sealPost({ keys: { channel, log }, state, kind: 1, body: sent.message });
        const { epoch, body } = await openPost([received.channel], post);
        const got = await decryptGroupMessage({
          keys,
          state,
          epoch,
          message: readGroupMessage(body),
          now: NOW,
        });
        if (got.outcome !== 'message') throw new Error(got.outcome);
        keys = got.state;
      }
      stored.push(own, keys);
    }
    return {
      seen: recorder.seen.length,
      secrets: recorder.secrets.map(({ bytes }) => hex(bytes)),
      leaks: findLeaks(recorder),
      unknown: recorder.unknown,
      messages,
      kept: await exported(stored),
    };
  });

/** A handshake and a conversation with turns, a loss that comes late, and a key handed over. */
export const converse = (): Promise<Observation> =>
  observed(async (recorder) => {
    const [a, b] = await Promise.all([testDevice(), testDevice()]);
    const bundle = takeBundle(b);
    const { state } = await startSession({ me: a, peer: publicDevice(b), bundle, now: NOW });
    a.peers.set(b.device, state);
    const wire: Sent[] = [];
    const say = async (from: TestDevice, to: TestDevice, text: string) => {
      const body = await write(from, to, text);
      wire.push({ from: from === a ? 'a' : 'b', body: hex(body), text });
      return body;
    };
    const opening = await say(a, b, 'first');
    await read(b, a, opening);
    await read(a, b, await say(b, a, 'answer'));
    for (let round = 0; round < 3; round += 1) {
      const late = await say(a, b, `late ${round}`);
      await read(b, a, await say(a, b, `early ${round}`));
      await read(a, b, await say(b, a, `turn ${round}`));
      await read(b, a, late);
    }
    const key = await crypto.subtle.generateKey({ name: 'AES-CTR', length: 256 }, true, ['unwrapKey']);
    const handed = await encryptKey({
      state: a.peers.get(b.device)!,
      key,
      context: bundle.signed.publicKey,
      now: NOW,
    });
    a.peers.set(b.device, handed.state);
    await read(b, a, handed.body);
    const { th } = a.peers.get(b.device)!.sessions[0]!;
    return {
      seen: recorder.seen.length,
      secrets: recorder.secrets.map(({ bytes }) => hex(bytes)),
      leaks: findLeaks(recorder),
      unknown: recorder.unknown,
      wire,
      privateKeys: Object.fromEntries([...recorder.privateKeys].map(([name, bytes]) => [name, hex(bytes)])),
      th: hex(th),
      handshake: {
        identityA: hex(a.identity.publicKey),
        identityB: hex(b.identity.publicKey),
        baseKey: hex(handshakeOf(opening)!.baseKey),
        signed: hex(bundle.signed.publicKey),
        oneTime: hex(bundle.oneTime!.publicKey),
      },
      kem: hex(recorder.secrets.find(({ call }) => call === 'encapsulateKey')!.bytes),
    };
  });

const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(32), info: new Uint8Array(1) };
const counter = { name: 'AES-CTR', counter: new Uint8Array(16), length: 64 };

/** A chain step gone wrong in one of the ways in which it could. What the recorder makes of it. */
export const leak = (how: 'none' | 'export' | 'whole' | 'half'): Promise<string[]> =>
  observed(async (recorder) => {
    const { subtle } = crypto;
    const root = await subtle.importKey('raw', crypto.getRandomValues(new Uint8Array(32)), 'HKDF', false, [
      'deriveKey',
    ]);
    const ctr = { name: 'AES-CTR', length: 256 };
    const w = await subtle.deriveKey(hkdf, root, ctr, how === 'export', ['encrypt', 'unwrapKey']);
    const zeros = new Uint8Array(32);
    await subtle.unwrapKey('raw', zeros, w, counter, 'HKDF', false, ['deriveKey']);
    if (how === 'export') await subtle.exportKey('raw', w);
    if (how === 'whole') await subtle.encrypt(counter, w, zeros);
    // The second half, in the middle of a longer array.
    const second = { ...counter, counter: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0)) };
    if (how === 'half') await subtle.encrypt(second, w, new Uint8Array(40));
    return findLeaks(recorder);
  });

const keysIn = (value: unknown, found = new Set<CryptoKey>()): Set<CryptoKey> => {
  if (value instanceof CryptoKey) found.add(value);
  else if (value instanceof Map) for (const part of value.values()) keysIn(part, found);
  else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value))
    for (const part of Object.values(value)) keysIn(part, found);
  return found;
};

const FORMATS = ['raw', 'raw-secret', 'raw-seed', 'pkcs8', 'jwk'];

interface Exported {
  keys: number;
  out: string[];
}

/** How many keys there are in what is stored, and those that an export gave anything for. */
const exported = async (stored: unknown): Promise<Exported> => {
  const keys = [...keysIn(stored)];
  const out: string[] = [];
  for (const key of keys)
    for (const format of FORMATS) {
      const given = await crypto.subtle.exportKey(format as 'raw', key).then(
        () => true,
        () => false,
      );
      if (given) out.push(`${key.algorithm.name} as ${format}`);
    }
  return { keys: keys.length, out };
};

interface Stored {
  a: TestDevice;
  b: TestDevice;
  waiting: Uint8Array<ArrayBuffer>;
}

const database = (): Promise<IDBDatabase> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open('lab', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('state');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('no database'));
  });

const transact = async (
  mode: 'readonly' | 'readwrite',
  work: (store: IDBObjectStore) => IDBRequest,
): Promise<unknown> => {
  const transaction = (await database()).transaction('state', mode, { durability: 'strict' });
  const request = work(transaction.objectStore('state'));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error ?? new Error('not stored'));
  });
};

/** Starts a session, leaves a message on the way, stores everything. */
export const begin = async (): Promise<void> => {
  const [a, b] = await Promise.all([testDevice(), testDevice()]);
  await read(b, a, await write(a, b, 'before'));
  await read(a, b, await write(b, a, 'answer'));
  const waiting = await write(a, b, 'over the restart');
  const stored: Stored = { a, b, waiting };
  await transact('readwrite', (store) => store.put(stored, 'state'));
};

/** What is stored, after a restart: the message that was on its way, one each way, and every key asked for. */
export const resume = async () => {
  const { a, b, waiting } = (await transact('readonly', (store) => store.get('state'))) as Stored;
  const kept = await exported({ a, b });
  const texts: (string | undefined)[] = [];
  texts.push((await read(b, a, waiting)).text);
  const request = { me: b, peer: publicDevice(a), body: await write(a, b, 'from a'), now: NOW };
  const plain = await decrypt({ ...request, state: b.peers.get(a.device) });
  if (plain.outcome === 'message' && plain.content.type === 'message') {
    b.peers.set(a.device, plain.state);
    texts.push(new TextDecoder().decode(plain.content.plaintext));
  }
  const back = await encrypt({
    state: b.peers.get(a.device)!,
    plaintext: new TextEncoder().encode('from b'),
    now: NOW,
  });
  texts.push((await read(a, b, back.body)).text);
  return { texts, ...kept, same: toBase64url(a.peers.get(b.device)!.sessions[0]!.id) };
};

/** What is made of a key that can be exported. */
export const control = async () => {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
  return exported({ nested: [{ key }] });
};
