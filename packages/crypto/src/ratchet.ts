import { concat, equal, type Bytes } from './bytes.ts';
import { entryOf, recall, remember, type Consumed } from './consumed.ts';
import { CryptoError } from './errors.ts';
import { generateAgreementKey, type KeyPair, type PrivateKey } from './keys.ts';
import { MAX_FORWARD_JUMP, MAX_OLD_CHAINS, MAX_SKIPPED, SKIPPED_LIFETIME } from './limits.ts';
import { encodeHeader, type Header, type Payload } from './session-body.ts';
import { messageKey, nextChain, rootStep, type MessageKey, type Opaque } from './step.ts';

/** A chain of the peer's messages. */
export interface ReceiveChain {
  /** The peer's ratchet key: 65 bytes. */
  readonly ratchet: Bytes;
  readonly chain: Opaque;
  /** The number of the message whose key comes next. */
  readonly n: number;
  /** Of a chain that the peer has left: how many messages it has, and since when it is an old one. */
  readonly old?: { readonly end: number; readonly since: number };
}

/** The key of a message that others overtook. */
export interface SkippedKey {
  readonly ratchet: Bytes;
  readonly n: number;
  readonly key: MessageKey;
  readonly at: number;
}

/** A Double Ratchet. Plain data and CryptoKeys: it can be stored in IndexedDB as it is. */
export interface Ratchet {
  readonly root: Opaque;
  /** The ratchet key that the peer answers to; absent when the next message makes a new one. */
  readonly own?: KeyPair;
  readonly sending?: { readonly chain: Opaque; readonly n: number };
  /** How many messages the sending chain before has. */
  readonly previous: number;
  /** The peer's ratchet key: absent until the first message has come. */
  readonly peerRatchet?: Bytes;
  /** The current chain first, then old ones that are not complete, the newest first. */
  readonly receiving: readonly ReceiveChain[];
  /** The oldest first. */
  readonly skipped: readonly SkippedKey[];
  readonly consumed: Consumed;
}

const IV_BYTES = 12;
const NONE = new Uint8Array(0);

/** `peerRatchet` is the responder's signed prekey: the initiator's first message steps against it. */
export const initiatorRatchet = (root: Opaque, peerRatchet: Bytes): Ratchet => ({
  root,
  previous: 0,
  peerRatchet,
  receiving: [],
  skipped: [],
  consumed: [],
});

/** `own` is the signed prekey. */
export const responderRatchet = (root: Opaque, own: KeyPair): Ratchet => ({
  root,
  own: { publicKey: own.publicKey, privateKey: own.privateKey },
  previous: 0,
  receiving: [],
  skipped: [],
  consumed: [],
});

/** What is random in a message, for vectors alone. */
export interface MessageRandom {
  ratchet?: KeyPair;
  iv?: Bytes;
}

/**
 * The next message: `protect` encrypts under its key. Makes a new ratchet key when the peer's is newer. Throws
 * `no-session` when the peer's first message has not come.
 */
export const send = async (
  ratchet: Ratchet,
  usage: 'encrypt' | 'wrapKey',
  protect: (key: MessageKey, header: Header) => Promise<Payload>,
  random: MessageRandom = {},
): Promise<{ ratchet: Ratchet; header: Header; payload: Payload }> => {
  const { peerRatchet } = ratchet;
  if (!peerRatchet) throw new CryptoError('no-session');
  const turn = async () => {
    const own = random.ratchet ?? (await generateAgreementKey());
    const made = await rootStep({
      root: ratchet.root,
      privateKey: own.privateKey,
      publicKey: peerRatchet,
      sender: own.publicKey,
      receiver: peerRatchet,
    });
    return { own, root: made.root, sending: { chain: made.chain, n: 0 } };
  };
  const { own, sending, root } =
    ratchet.sending && ratchet.own
      ? { own: ratchet.own, sending: ratchet.sending, root: ratchet.root }
      : await turn();
  const fields = {
    ratchet: own.publicKey,
    previous: ratchet.previous,
    n: sending.n,
    iv: random.iv ?? crypto.getRandomValues(new Uint8Array(IV_BYTES)),
  };
  const header: Header = { ...fields, bytes: encodeHeader(fields) };
  const [payload, chain] = await Promise.all([
    messageKey(sending.chain, [usage]).then((key) => protect(key, header)),
    nextChain(sending.chain),
  ]);
  return { ratchet: { ...ratchet, root, own, sending: { chain, n: sending.n + 1 } }, header, payload };
};

/** Without keys past their time, and without more than are kept. */
export const pruneRatchet = (ratchet: Ratchet, now: number): Ratchet => {
  const isOld = (since: number) => now >= since + SKIPPED_LIFETIME;
  const skipped = ratchet.skipped.filter(({ at }) => !isOld(at)).slice(-MAX_SKIPPED);
  const receiving = ratchet.receiving.filter(({ n, old }) => !old || (n < old.end && !isOld(old.since)));
  const unchanged =
    skipped.length === ratchet.skipped.length && receiving.length === ratchet.receiving.length;
  return unchanged ? ratchet : { ...ratchet, skipped, receiving };
};

/** The key of message `n` of a chain, the chain behind it, and the keys of those before it. */
const advance = async (from: ReceiveChain, n: number, now: number) => {
  if (n - from.n > MAX_FORWARD_JUMP) throw new CryptoError('too-far-ahead');
  const skipped: SkippedKey[] = [];
  let { chain } = from;
  for (let at = from.n; at < n; at += 1) {
    // Those that there would be no room for are not made in the first place.
    const [key, next] = await Promise.all([
      n - at <= MAX_SKIPPED ? messageKey(chain, ['decrypt', 'unwrapKey']) : undefined,
      nextChain(chain),
    ]);
    if (key) skipped.push({ ratchet: from.ratchet, n: at, key, at: now });
    chain = next;
  }
  const [key, next] = await Promise.all([messageKey(chain, ['decrypt', 'unwrapKey']), nextChain(chain)]);
  return { key, skipped, chain: { ...from, chain: next, n: n + 1 } };
};

/** The ratchet turned by a new ratchet key of the peer, and its new chain. */
const turnTo = async (ratchet: Ratchet, header: Header, now: number): Promise<Ratchet> => {
  const { own, root } = ratchet;
  // Nobody answers a key that was not sent.
  if (!own) throw new CryptoError('cannot-decrypt');
  const [current, ...older] = ratchet.receiving;
  if (header.previous < (current?.n ?? 0)) throw new CryptoError('cannot-decrypt');
  if (!current && header.previous !== 0) throw new CryptoError('cannot-decrypt');
  // Not the view: with it the whole message would be stored.
  const theirs = header.ratchet.slice();
  const made = await rootStep({
    root,
    privateKey: own.privateKey,
    publicKey: theirs,
    sender: theirs,
    receiver: own.publicKey,
  });
  const left = current ? [{ ...current, old: { end: header.previous, since: now } }] : [];
  const { own: _, sending, ...rest } = ratchet;
  return {
    ...rest,
    root: made.root,
    previous: sending?.n ?? 0,
    peerRatchet: theirs,
    receiving: [
      { ratchet: theirs, chain: made.chain, n: 0 },
      ...[...left, ...older].filter(({ n, old }) => n < old!.end).slice(0, MAX_OLD_CHAINS),
    ],
  };
};

const openWith = async <T>(open: () => Promise<T>): Promise<T> => {
  try {
    return await open();
  } catch (error) {
    // An OperationError is the AEAD's no; what does not unwrap to a key of the right length is a DataError.
    const refused = error instanceof Error && ['OperationError', 'DataError'].includes(error.name);
    throw refused ? new CryptoError('cannot-decrypt') : error;
  }
};

export type Received<T> =
  | { outcome: 'message'; ratchet: Ratchet; content: T }
  /** This very message came before. */
  | { outcome: 'duplicate' }
  /** Another message came under this counter: the sender, or this device, went back to an earlier state. */
  | { outcome: 'rollback' };

/**
 * Takes a message in: `open` decrypts under its key. Throws `cannot-decrypt`, `bad-key`, `too-far-ahead`,
 * `message-expired`; the ratchet given stays as it is in any case.
 */
export const receive = async <T>(
  before: Ratchet,
  { header, bytes }: { header: Header; bytes: Bytes },
  now: number,
  open: (key: PrivateKey) => Promise<T>,
): Promise<Received<T>> => {
  const ratchet = pruneRatchet(before, now);
  // Awaited where it is needed: as a rule beside the decryption.
  const entry = entryOf(header, bytes);

  const waiting = ratchet.skipped.find(({ n, ratchet: key }) => n === header.n && equal(key, header.ratchet));
  if (waiting) {
    const content = await openWith(() => open(waiting.key));
    const skipped = ratchet.skipped.filter((key) => key !== waiting);
    const consumed = remember(ratchet.consumed, await entry);
    return { outcome: 'message', ratchet: { ...ratchet, skipped, consumed }, content };
  }

  const known = ratchet.receiving.find(({ ratchet: key }) => equal(key, header.ratchet));
  if (!known || header.n < known.n) {
    const used = recall(ratchet.consumed, await entry);
    if (used) return { outcome: used };
    if (known) throw new CryptoError('message-expired');
  }

  const turned = known ? ratchet : await turnTo(ratchet, header, now);
  const chain = known ?? turned.receiving[0]!;
  if (chain.old && header.n >= chain.old.end) throw new CryptoError('cannot-decrypt');
  const { key, skipped, chain: moved } = await advance(chain, header.n, now);
  const content = await openWith(() => open(key));
  const after: Ratchet = {
    ...turned,
    receiving: turned.receiving.map((one) => (one === chain ? moved : one)),
    skipped: [...turned.skipped, ...skipped],
    consumed: remember(ratchet.consumed, await entry),
  };
  return { outcome: 'message', ratchet: pruneRatchet(after, now), content };
};

/** What authenticates a message: `th`, its header, and the context of a key that it hands over. */
export const additionalData = (th: Bytes, header: Header, context = NONE): Bytes =>
  concat(th, header.bytes, context);
