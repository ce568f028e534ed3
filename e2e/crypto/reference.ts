import {
  createDecipheriv,
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from 'node:crypto';
import { concat } from '../../packages/crypto/src/bytes.ts';
import { I, type Label } from '../../packages/crypto/src/labels.ts';
import { encodeHeader, readBody, type Header } from '../../packages/crypto/src/session-body.ts';
import { encodeGroupHeader, readGroupMessage } from '../../packages/crypto/src/group-message.ts';
import type { GroupObservation, Observation } from './page.ts';

// The session again, over node:crypto, with every key as bytes: constructions as docs/protocol.md has them.

type Bytes = Uint8Array<ArrayBuffer>;

const Z = new Uint8Array(32);
const NONE = new Uint8Array(0);

const fromHex = (hex: string): Bytes => new Uint8Array(Buffer.from(hex, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const hkdf = (salt: Bytes, ikm: Bytes, info: Bytes): Bytes =>
  new Uint8Array(hkdfSync('sha256', ikm, salt, info, 32));

const step = (key: Bytes, salt: Bytes, info: Bytes): Bytes => {
  const cipher = createCipheriv('aes-256-ctr', hkdf(salt, key, info), new Uint8Array(16));
  return new Uint8Array(cipher.update(Z));
};

/** The DER of a P-256 public key, in front of its point. */
const SPKI = '3059301306072a8648ce3d020106082a8648ce3d030107034200';

const agree = (pkcs8: string, point: string): Bytes => {
  const privateKey = createPrivateKey({ key: Buffer.from(pkcs8, 'hex'), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey({ key: Buffer.from(SPKI + point, 'hex'), format: 'der', type: 'spki' });
  return new Uint8Array(diffieHellman({ privateKey, publicKey }));
};

const decrypt = (key: Bytes, iv: Bytes, data: Bytes, sealed: Bytes): string => {
  const decipher = createDecipheriv('aes-256-gcm', key, iv);
  decipher.setAAD(data);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString();
};

const rootOf = ({ privateKeys, th, handshake, kem }: Observation): Bytes => {
  const { identityA, identityB, baseKey, signed, oneTime } = handshake;
  const base = privateKeys[baseKey]!;
  const context = fromHex(th);
  const secrets = [
    ['dh1', agree(privateKeys[identityA]!, signed)],
    ['dh2', agree(base, identityB)],
    ['dh4', agree(base, oneTime)],
    ['kem', fromHex(kem)],
  ] as const;
  let key = agree(base, signed);
  for (const [name, secret] of secrets)
    key = step(
      key,
      hkdf(Z, secret, I(`hs/${name}` satisfies Label, context)),
      I(`hs/mix/${name}` satisfies Label, context),
    );
  return key;
};

/** Opens everything on the wire. The keys by what they are, in hex. */
export const replay = (observation: Observation) => {
  const { wire, privateKeys, th, handshake } = observation;
  const texts: string[] = [];
  const keys = { root: [] as string[], chain: [] as string[], message: [] as string[] };
  let root = rootOf(observation);
  keys.root.push(toHex(root));
  let current = { ratchet: handshake.signed, chain: Z, n: 0 };
  const turn = (sender: string) => {
    const receiver = current.ratchet;
    const t = hkdf(
      Z,
      agree(privateKeys[sender]!, receiver),
      I('root-dh', concat(fromHex(sender), fromHex(receiver))),
    );
    const chain = step(root, t, I('root-chain', NONE));
    root = step(root, t, I('root', NONE));
    keys.root.push(toHex(root));
    keys.chain.push(toHex(chain));
    current = { ratchet: sender, chain, n: 0 };
  };
  const open = (header: Header, sealed: Bytes): string => {
    const key = hkdf(Z, current.chain, I('message', NONE));
    keys.message.push(toHex(key));
    current = { ...current, chain: step(current.chain, Z, I('next', NONE)), n: current.n + 1 };
    keys.chain.push(toHex(current.chain));
    return decrypt(key, header.iv, concat(fromHex(th), encodeHeader(header)), sealed);
  };
  for (const { body } of wire) {
    const read = readBody(fromHex(body));
    if (read.type !== 'message') throw new Error('not a message');
    const ratchet = toHex(read.header.ratchet);
    if (ratchet !== current.ratchet) turn(ratchet);
    if (read.header.n !== current.n) throw new Error('the wire is not in order');
    texts.push(open(read.header, read.payload.ciphertext));
  }
  return { texts, keys };
};

/** AES-256-CTR over zeros: what a carrier carries. */
const opened = (carrier: Bytes): Bytes =>
  new Uint8Array(createCipheriv('aes-256-ctr', carrier, new Uint8Array(16)).update(Z));

/** Opens every group message from the one secret of a sender key that was handed over, which it looks for. */
export const replayGroup = ({ secrets, messages }: GroupObservation) => {
  const texts: string[] = [];
  const keys = { chain: new Set<string>(), message: new Set<string>() };
  const bodies = messages.map(({ message }) => readGroupMessage(fromHex(message)));
  const carriers = secrets.filter((secret) => secret.length === 64).map(fromHex);
  let chain: { id: string; key: Bytes } | undefined;
  const openWith = (key: Bytes, body: (typeof bodies)[number]): string | undefined => {
    try {
      return decrypt(hkdf(Z, key, I('message', NONE)), body.iv, encodeGroupHeader(body), body.ciphertext);
    } catch {
      return undefined;
    }
  };
  for (const body of bodies) {
    if (chain?.id !== body.chainId) {
      const key = carriers.map(opened).find((one) => openWith(one, body) !== undefined);
      if (!key) throw new Error('no secret is that of this sender key');
      chain = { id: body.chainId, key };
    }
    keys.chain.add(toHex(chain.key));
    keys.message.add(toHex(hkdf(Z, chain.key, I('message', NONE))));
    texts.push(openWith(chain.key, body) ?? '');
    chain = { ...chain, key: step(chain.key, Z, I('next', NONE)) };
  }
  return { texts, keys };
};
