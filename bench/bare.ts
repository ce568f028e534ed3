import { concat, type Bytes } from '../packages/crypto/src/bytes.ts';
import { decapsulate, encapsulate, type KemPair } from '../packages/crypto/src/kem.ts';

// The calls that no implementation of the protocol can do without, with nothing around them: no encoding, no checks,
// no state. What can run beside each other does.

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const { subtle } = crypto;
const Z = new Uint8Array(32);
const INFO = new Uint8Array(24);
/** As long as `th` and a header, which every message is bound to. */
const BOUND = new Uint8Array(117);
const HKDF = { name: 'HKDF', hash: 'SHA-256', salt: Z, info: INFO };
const CTR = { name: 'AES-CTR', counter: new Uint8Array(16), length: 64 };
const ECDH = { name: 'ECDH', namedCurve: 'P-256' };
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length));

export const importHkdf = (): Promise<Key> =>
  subtle.importKey('raw', random(32), 'HKDF', false, ['deriveKey']);

const step = async (key: Key): Promise<Key> => {
  const w = await subtle.deriveKey(HKDF, key, { name: 'AES-CTR', length: 256 }, false, ['unwrapKey']);
  return subtle.unwrapKey('raw', Z, w, CTR, 'HKDF', false, ['deriveKey']);
};

const messageKey = (chain: Key, ...usages: ('encrypt' | 'decrypt' | 'unwrapKey')[]): Promise<Key> =>
  subtle.deriveKey(HKDF, chain, { name: 'AES-GCM', length: 256 }, false, usages);
/** Who receives does not know yet whether text or a key comes. */
const OPENS = ['decrypt', 'unwrapKey'] as const;

const gcm = (iv: Bytes, additionalData: Bytes) => ({ name: 'AES-GCM', iv, additionalData, tagLength: 128 });

export const generate = () => subtle.generateKey(ECDH, false, ['deriveKey']);

const importPoint = (point: Bytes): Promise<Key> => subtle.importKey('raw', point, ECDH, true, []);

const agree = async (own: Key, point: Bytes, usage: 'deriveKey' | 'deriveBits'): Promise<Key> =>
  subtle.deriveKey({ name: 'ECDH', public: await importPoint(point) }, own, 'HKDF', false, [usage]);

const pre = (secret: Key) => subtle.deriveBits(HKDF, secret, 256);

/** One message sealed: its key, the next chain key. */
export const sendMessage = async (chain: Key, plaintext: Bytes) => {
  const iv = random(12);
  const [sealed, next] = await Promise.all([
    messageKey(chain, 'encrypt').then((key) => subtle.encrypt(gcm(iv, BOUND), key, plaintext)),
    step(chain),
  ]);
  return { iv, sealed: new Uint8Array(sealed), next };
};

/** One message opened, and remembered by its hash. */
export const receiveMessage = async (chain: Key, iv: Bytes, sealed: Bytes) => {
  const [, plaintext, next] = await Promise.all([
    subtle.digest('SHA-256', sealed),
    messageKey(chain, ...OPENS).then((key) => subtle.decrypt(gcm(iv, BOUND), key, sealed)),
    step(chain),
  ]);
  return { plaintext, next };
};

const rootStep = async (root: Key, own: Key, point: Bytes) => {
  await pre(await agree(own, point, 'deriveBits'));
  return Promise.all([step(root), step(root)]);
};

export interface Parties {
  own: { privateKey: Key };
  peer: Bytes;
  root: Key;
}

/** A turn each way: two fresh ratchet keys, four root steps, two messages. */
export const turn = async ({ own, peer, root }: Parties, plaintext: Bytes): Promise<void> => {
  for (let way = 0; way < 2; way += 1) {
    const fresh = await generate();
    await subtle.exportKey('raw', fresh.publicKey);
    const [, chain] = await rootStep(root, fresh.privateKey, peer);
    const { iv, sealed } = await sendMessage(chain, plaintext);
    // The receiver derives the same; its chain is another one here, so the message is opened under its own key.
    await rootStep(root, own.privateKey, peer);
    await receiveMessage(chain, iv, sealed);
  }
};

export interface HandshakeKeys extends Parties {
  kem: KemPair;
  signing: Bytes;
  signature: Bytes;
  statement: Bytes;
}

const cascade = async (agreements: readonly Key[], start: Key, kem: Key): Promise<Key> => {
  let key = start;
  for (const secret of [...agreements, kem]) {
    await pre(secret);
    key = await step(key);
  }
  return key;
};

const fourAgreements = async (own: Key, peer: Bytes) => {
  const [start, ...agreements] = await Promise.all([
    agree(own, peer, 'deriveKey'),
    agree(own, peer, 'deriveBits'),
    agree(own, peer, 'deriveBits'),
    agree(own, peer, 'deriveBits'),
  ]);
  return { start, agreements };
};

/** A bundle verified, a handshake with the first message in it, and the same taken in on the other side. */
export const handshake = async (keys: HandshakeKeys, plaintext: Bytes): Promise<void> => {
  const { own, peer, kem, signing, signature, statement } = keys;
  const check = async () => {
    const key = await subtle.importKey('raw', signing, ECDSA, true, ['verify']);
    return subtle.verify(ECDSA, key, signature, statement);
  };
  await Promise.all([check(), check(), check()]);
  const base = await generate();
  await subtle.exportKey('raw', base.publicKey);
  const { ciphertext, secret } = await encapsulate(kem.publicKey);
  const [ours] = await Promise.all([
    fourAgreements(base.privateKey, peer),
    subtle.digest('SHA-256', concat(kem.publicKey, ciphertext)),
  ]);
  const root = await cascade(ours.agreements, ours.start, secret);
  const fresh = await generate();
  await subtle.exportKey('raw', fresh.publicKey);
  const [, chain] = await rootStep(root, fresh.privateKey, peer);
  const { iv, sealed } = await sendMessage(chain, plaintext);
  const [theirs, opened] = await Promise.all([
    fourAgreements(own.privateKey, peer),
    decapsulate(kem, ciphertext),
    subtle.digest('SHA-256', concat(kem.publicKey, ciphertext)),
  ]);
  await rootStep(await cascade(theirs.agreements, theirs.start, opened), own.privateKey, peer);
  await receiveMessage(chain, iv, sealed);
};

export interface GroupKeys {
  chain: Key;
  channel: Key;
  signing: { privateKey: Key; publicKey: Bytes };
  /** Of the message as it lies in the post. */
  length: number;
}

const HMAC = { name: 'HMAC', hash: 'SHA-256', length: 256 };

/** A group message: encrypted, tagged, signed, and sealed for the channel. What `receiveGroup` takes. */
export const sendGroup = async ({ chain, channel, signing, length }: GroupKeys, plaintext: Bytes) => {
  const iv = random(12);
  const [key, commit, next] = await Promise.all([
    messageKey(chain, 'encrypt'),
    subtle.deriveKey(HKDF, chain, HMAC, false, ['sign']),
    step(chain),
  ]);
  const sealed = new Uint8Array(await subtle.encrypt(gcm(iv, INFO), key, plaintext));
  const digest = new Uint8Array(await subtle.digest('SHA-256', sealed));
  const tag = new Uint8Array(await subtle.sign('HMAC', commit, digest));
  const signature = new Uint8Array(await subtle.sign(ECDSA, signing.privateKey, tag));
  const post = new Uint8Array(await subtle.encrypt(gcm(iv, INFO), channel, new Uint8Array(length)));
  return { chain, iv, sealed, tag, signature, post, next };
};

export type SentGroup = Awaited<ReturnType<typeof sendGroup>>;

export const receiveGroup = async ({ channel, signing }: GroupKeys, sent: SentGroup): Promise<void> => {
  const { chain, iv, sealed, tag, signature, post } = sent;
  await subtle.decrypt(gcm(iv, INFO), channel, post);
  const [digest, publicKey] = await Promise.all([
    subtle.digest('SHA-256', sealed),
    subtle.importKey('raw', signing.publicKey, ECDSA, true, ['verify']),
  ]);
  await subtle.verify(ECDSA, publicKey, signature, tag);
  const [key, commit] = await Promise.all([
    messageKey(chain, 'decrypt'),
    subtle.deriveKey(HKDF, chain, HMAC, false, ['verify']),
    step(chain),
  ]);
  await Promise.all([subtle.verify('HMAC', commit, tag, digest), subtle.decrypt(gcm(iv, INFO), key, sealed)]);
};

/** HPKE's calls for one message to a recipient. */
export const hpkeSeal = async (peer: Bytes, plaintext: Bytes, own?: Key): Promise<void> => {
  let privateKey = own;
  if (!privateKey) {
    const pair = await subtle.generateKey(ECDH, false, ['deriveBits']);
    await subtle.exportKey('raw', pair.publicKey);
    privateKey = pair.privateKey;
  }
  const dh = await subtle.deriveBits({ name: 'ECDH', public: await importPoint(peer) }, privateKey, 256);
  const ikm = await subtle.importKey('raw', dh, 'HKDF', false, ['deriveBits']);
  const [shared, hash] = await Promise.all([
    subtle.deriveBits(HKDF, ikm, 256),
    subtle
      .importKey('raw', Z, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
      .then((key) => subtle.sign('HMAC', key, INFO)),
  ]);
  const secret = await subtle.importKey('raw', shared, 'HKDF', false, ['deriveBits', 'deriveKey']);
  const info = { ...HKDF, info: new Uint8Array(hash) };
  const [key, nonce] = await Promise.all([
    subtle.deriveKey(info, secret, { name: 'AES-GCM', length: 256 }, false, ['encrypt']),
    subtle.deriveBits(info, secret, 96),
  ]);
  await subtle.encrypt(gcm(new Uint8Array(nonce), INFO), key, plaintext);
};

export const CHUNK = 256 * 1024;

/** AES-GCM over chunks, one after the other; each hashed as well if `hashed`, beside the decryption where there is one. */
export const sealChunks = async (key: Key, chunks: readonly Bytes[], hashed = false): Promise<void> => {
  const iv = random(12);
  for (const chunk of chunks) {
    const sealed = await subtle.encrypt(gcm(iv, INFO), key, chunk);
    if (hashed) await subtle.digest('SHA-256', sealed);
  }
};

export const openChunks = async (
  key: Key,
  iv: Bytes,
  sealed: readonly Bytes[],
  hashed = false,
): Promise<void> => {
  for (const chunk of sealed)
    await Promise.all([
      subtle.decrypt(gcm(iv, INFO), key, chunk),
      hashed ? subtle.digest('SHA-256', chunk) : undefined,
    ]);
};

/** Chunks as `openChunks` takes them. */
export const sealedChunks = (key: Key, iv: Bytes, chunks: readonly Bytes[]): Promise<Bytes[]> =>
  Promise.all(chunks.map(async (chunk) => new Uint8Array(await subtle.encrypt(gcm(iv, INFO), key, chunk))));
