// Sessions once more, over node:crypto alone and with every key as bytes: what the package must agree with. Written from
// docs/protocol.md; shares no code with src/. Not for use: it does not bound, forget, or check anything.
import { createCipheriv, createDecipheriv, createECDH, createHash, hkdfSync } from 'node:crypto';

const Z = Buffer.alloc(32);
const hex = (text) => Buffer.from(text, 'hex');
const u = (size) => (value) => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
};
const [u8, u16, u32] = [u(1), u(2), u(4)];
const lp = (bytes) => Buffer.concat([u16(bytes.length), bytes]);
const label = (name) => lp(Buffer.from(`sotto/1/${name}`));
const info = (name, context = Buffer.alloc(0)) => Buffer.concat([label(name), u16(1), context]);
const hkdf = (salt, ikm, context) => Buffer.from(hkdfSync('sha256', ikm, salt, context, 32));
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

export const step = (key, salt, context) => {
  const cipher = createCipheriv('aes-256-ctr', hkdf(salt, key, context), Buffer.alloc(16));
  return cipher.update(Z);
};
export const pre = (secret, context) => hkdf(Z, secret, context);
export const messageKey = (chain) => hkdf(Z, chain, info('message'));
export const nextChain = (chain) => step(chain, Z, info('next'));
export const signalKey = (root, direction) => hkdf(Z, root, info('signal', u8(direction)));

export const ecdh = (privateKey, publicKey) => {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(privateKey);
  return pair.computeSecret(publicKey);
};

const party = ({ account, device, signing, identity }) =>
  Buffer.concat([account, device, signing, identity].map(lp));

export const transcript = ({ initiator, responder, signed, oneTime, pq, generation, baseKey, ciphertext }) =>
  sha256(
    Buffer.concat([
      label('handshake'),
      u16(1),
      party(initiator),
      party(responder),
      u32(signed.id),
      lp(signed.publicKey),
      oneTime ? Buffer.concat([u8(1), u32(oneTime.id), lp(oneTime.publicKey)]) : u8(0),
      u8(pq.kind),
      u32(pq.id),
      lp(pq.publicKey),
      lp(baseKey),
      lp(ciphertext),
      u32(generation),
    ]),
  );

export const encodeHandshake = ({ signed, oneTime, pq, generation, baseKey, ciphertext }) =>
  Buffer.concat([
    u32(signed.id),
    oneTime ? Buffer.concat([u8(1), u32(oneTime.id)]) : u8(0),
    u8(pq.kind),
    u32(pq.id),
    u32(generation),
    baseKey,
    ciphertext,
  ]);

/** `secrets` are [name, bytes] in the order of mixing; `dh3` is what they are mixed into. */
export const cascade = (dh3, secrets, th) => {
  let key = dh3;
  for (const [name, secret] of secrets) {
    key = step(key, pre(secret, info(`hs/${name}`, th)), info(`hs/mix/${name}`, th));
  }
  return key;
};

export const rootStep = (root, dh, sender, receiver) => {
  const t = pre(dh, info('root-dh', Buffer.concat([sender, receiver])));
  return { t, root: step(root, t, info('root')), chain: step(root, t, info('root-chain')) };
};

export const header = ({ ratchet, pn, n, iv }) => Buffer.concat([ratchet, u32(pn), u32(n), iv]);

const TAG = 16;
export const encrypt = (key, iv, aad, plaintext) => {
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
};
export const decrypt = (key, iv, aad, ciphertext) => {
  const decipher = createDecipheriv('aes-256-gcm', key, iv);
  decipher.setAAD(aad);
  decipher.setAuthTag(ciphertext.subarray(-TAG));
  return Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG)), decipher.final()]);
};

export const preamble = (type) => Buffer.concat([u8(1), u16(1), u8(type)]);

/** The parts of a body of type 1 to 4. */
export const parse = (bytes) => {
  const body = Buffer.from(bytes);
  let at = 4;
  const take = (length) => body.subarray(at, (at += length));
  const type = body[3];
  const first = type === 2 || type === 4;
  const start = at;
  const handshake = first && {
    signedId: take(4).readUInt32BE(),
    oneTimeId: take(1)[0] === 1 ? take(4).readUInt32BE() : undefined,
    pqKind: take(1)[0],
    pqId: take(4).readUInt32BE(),
    generation: take(4).readUInt32BE(),
    baseKey: take(65),
    ciphertext: take(1088),
  };
  const route = first ? body.subarray(start, at) : take(16);
  const head = take(85);
  const context = type >= 3 ? take(take(2).readUInt16BE()) : Buffer.alloc(0);
  return {
    type,
    handshake,
    route,
    header: head,
    ratchet: head.subarray(0, 65),
    pn: head.readUInt32BE(65),
    n: head.readUInt32BE(69),
    iv: head.subarray(73),
    context,
    ciphertext: body.subarray(at),
  };
};

/** One side of a session, by the book. `own` is { privateKey, publicKey }; `peer` the ratchet key to step against. */
export class ReferenceSession {
  constructor({ th, root, own, peer }) {
    Object.assign(this, { th, root, own, peer, pn: 0, sending: undefined, keys: new Map(), chains: new Map() });
  }

  /** The message key and the header of the next message; `ratchet` is the pair for a turn, if this is one. */
  next(iv, ratchet) {
    if (!this.sending) {
      this.own = ratchet;
      const dh = ecdh(ratchet.privateKey, this.peer);
      const { root, chain } = rootStep(this.root, dh, ratchet.publicKey, this.peer);
      Object.assign(this, { root, sending: { chain, n: 0 } });
    }
    const { chain, n } = this.sending;
    this.sending = { chain: nextChain(chain), n: n + 1 };
    return { key: messageKey(chain), header: header({ ratchet: this.own.publicKey, pn: this.pn, n, iv }) };
  }

  decrypt(body) {
    const { ratchet, n, iv, header: head, context, ciphertext } = parse(body);
    const name = ratchet.toString('hex');
    if (!this.chains.has(name)) {
      const dh = ecdh(this.own.privateKey, ratchet);
      const { root, chain } = rootStep(this.root, dh, ratchet, this.own.publicKey);
      this.chains.set(name, { chain, n: 0 });
      Object.assign(this, { root, peer: ratchet, pn: this.sending?.n ?? 0, sending: undefined });
    }
    const state = this.chains.get(name);
    for (; state.n <= n; state.n += 1) {
      this.keys.set(`${name}/${state.n}`, messageKey(state.chain));
      state.chain = nextChain(state.chain);
    }
    return decrypt(this.keys.get(`${name}/${n}`), iv, Buffer.concat([this.th, head, context]), ciphertext);
  }
}

export { hex, info, u8, u16, u32, lp };
