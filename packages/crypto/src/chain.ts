import { concat, equal, lp, Reader, toBase64url, u8, u64, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { checkPoint, deviceId, sha256, sign, verify, type KeyPair } from './keys.ts';
import { I } from './labels.ts';

/** A device that an account chain names as active. */
export interface ChainDevice {
  device: string;
  signing: Bytes;
  identity: Bytes;
}

export interface ChainState {
  account: string;
  /** The hash of the last event: 32 bytes. */
  head: Bytes;
  devices: ChainDevice[];
}

const VERSION = 1;
const CREATE = 1;
const NONE = new Uint8Array(0);

/** What an event's signatures cover and its hash is taken of. Signatures are not hashed: they can be made anew. */
const signedContent = (content: Bytes): Bytes => I('chain', content);

/** An event: `lp(content)` and the signatures that its kind asks for. */
interface Parsed {
  kind: number;
  /** The hash of the event before; empty in the first. */
  previous: Bytes;
  /** What the kind says. */
  body: Bytes;
  signed: Bytes;
  signatures: Bytes;
}

const parse = (event: Bytes): Parsed => {
  const outer = new Reader(event);
  const content = outer.lp();
  const signatures = outer.rest();
  const reader = new Reader(content);
  if (reader.u8() !== VERSION) throw new CryptoError('chain-invalid', 'version');
  const kind = reader.u8();
  reader.u64();
  const previous = reader.lp();
  return { kind, previous, body: reader.rest(), signed: signedContent(content), signatures };
};

/** The state after an event, or an error. `state` is undefined before the first. */
const apply = async (state: ChainState | undefined, event: Parsed): Promise<ChainState> => {
  if (!equal(event.previous, state?.head ?? NONE)) throw new CryptoError('chain-invalid', 'previous');
  const head = await sha256(event.signed);
  if (event.kind === CREATE && state === undefined) {
    const reader = new Reader(event.body);
    const signing = reader.lp();
    const identity = reader.lp();
    reader.end();
    checkPoint(identity);
    if (equal(signing, identity)) throw new CryptoError('chain-invalid', 'one key for two purposes');
    if (!(await verify(signing, event.signatures, event.signed))) {
      throw new CryptoError('chain-invalid', 'signature');
    }
    return {
      account: toBase64url(head),
      head,
      devices: [{ device: await deviceId(signing), signing, identity }],
    };
  }
  throw new CryptoError('chain-invalid', 'kind');
};

/**
 * Checks a chain from its first event on and says what it adds up to. Throws `chain-invalid` for an event that is
 * unknown, malformed, unsigned or out of place, and for an empty list. Whether it is the chain of the account in
 * question, and extends the one seen before, is for the caller to compare.
 */
export const verifyChain = async (events: readonly Bytes[]): Promise<ChainState> => {
  let state: ChainState | undefined;
  try {
    for (const event of events) state = await apply(state, parse(event));
  } catch (error) {
    throw error instanceof CryptoError && error.code !== 'chain-invalid'
      ? new CryptoError('chain-invalid')
      : error;
  }
  if (state === undefined) throw new CryptoError('chain-invalid', 'empty');
  return state;
};

/**
 * The first event of a new account: its first device, signed by that device. `createdAt` is in milliseconds since
 * 1970. No nonce: the signing key is fresh, so the account id is. Throws `chain-invalid` when the keys do not fit
 * each other.
 */
export const createChain = async (request: {
  signing: KeyPair;
  identity: Pick<KeyPair, 'publicKey'>;
  createdAt: number;
}): Promise<{ account: string; event: Bytes }> => {
  const { signing, identity, createdAt } = request;
  const body = concat(lp(signing.publicKey), lp(identity.publicKey));
  const content = concat(u8(VERSION), u8(CREATE), u64(createdAt), lp(NONE), body);
  const event = concat(lp(content), await sign(signing.privateKey, signedContent(content)));
  const { account } = await verifyChain([event]);
  return { account, event };
};
