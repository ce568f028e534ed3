import { equal, type Bytes } from './bytes.ts';
import { authored, encodeContent, encodeEvent, joined, parseEvent, type EventBody } from './chain-event.ts';
import { applyEvent, applyParsed, asChainInvalid, type ChainState, type RecoveryKey } from './chain-rules.ts';
import { CryptoError } from './errors.ts';
import { deviceId, sign, type KeyPair } from './keys.ts';

const NONE = new Uint8Array(0);

/** An event, and the chain with it. */
export interface Appended {
  event: Bytes;
  state: ChainState;
}

/** What every event is made from. */
interface Draft {
  /** After which event it stands: as a rule the last one; for a recovery that outranks others, the one before them. */
  state: ChainState;
  /** The signing key of an active device, or of the recovery key. */
  author: KeyPair;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/**
 * Checks a chain from its first event on and says what it adds up to. Throws `chain-invalid` for an event that is
 * unknown, malformed, unsigned or out of place, and for an empty list. Whether it is the chain of the account in
 * question is for the caller to compare; whether it extends the one seen before, `extendChain` tells.
 */
export const verifyChain = async (events: readonly Bytes[]): Promise<ChainState> => {
  let state: ChainState | undefined;
  for (const event of events) state = await applyEvent(state, event);
  if (state === undefined) throw new CryptoError('chain-invalid', 'empty');
  return state;
};

/**
 * The account that a first event makes: its id, and the fingerprint that an invite carries. Throws `chain-invalid`.
 */
export const accountOf = async (event: Bytes): Promise<string> => (await verifyChain([event])).account;

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
  const body: EventBody = { kind: 'create', signing: signing.publicKey, identity: identity.publicKey };
  const content = encodeContent({ createdAt, previous: NONE, body });
  const event = encodeEvent(content, await sign(signing.privateKey, authored(content)));
  return { account: await accountOf(event), event };
};

type Unauthored<T> = T extends unknown ? Omit<T, 'author'> : never;

/** The content of the event that follows, and the author's signature. */
const draft = async ({ state, author, createdAt }: Draft, body: Unauthored<EventBody>) => {
  const authoredBody = { ...body, author: await deviceId(author.publicKey) } as EventBody;
  const content = encodeContent({ createdAt, previous: state.head, body: authoredBody });
  return { content, signature: await sign(author.privateKey, authored(content)) };
};

const appended = async (state: ChainState, event: Bytes): Promise<Appended> => ({
  event,
  state: await applyEvent(state, event),
});

const append = (request: Draft, body: Unauthored<EventBody>): Promise<Appended> =>
  asChainInvalid(async () => {
    const { content, signature } = await draft(request, body);
    return appended(request.state, encodeEvent(content, signature));
  });

/**
 * Half an event that adds a device: signed by `author`, to be countersigned by the device (`acceptDevice`). Throws
 * `chain-invalid` when the chain does not allow it.
 */
export const proposeDevice = (
  request: Draft & { device: { signing: Bytes; identity: Bytes } },
): Promise<Bytes> =>
  asChainInvalid(async () => {
    const { signing, identity } = request.device;
    const { content, signature } = await draft(request, { kind: 'add', signing, identity });
    const proposal = encodeEvent(content, signature);
    await applyParsed(request.state, parseEvent(proposal, true), 'joiner');
    return proposal;
  });

/**
 * The whole event, made by the device that is added. Throws `chain-invalid` when the proposal does not follow `state`,
 * is not signed by one of its keys, or names other keys than these.
 */
export const acceptDevice = (request: {
  state: ChainState;
  proposal: Bytes;
  signing: KeyPair;
  identity: Pick<KeyPair, 'publicKey'>;
}): Promise<Appended> =>
  asChainInvalid(async () => {
    const { state, proposal, signing, identity } = request;
    const { body, content, signatures } = parseEvent(proposal, true);
    // That the other key is mine too, the whole event shows, as it does all else.
    if (body.kind !== 'add' || !equal(body.identity, identity.publicKey))
      throw new CryptoError('chain-invalid', 'other keys');
    const countersigned = await sign(signing.privateKey, joined(content));
    return appended(state, encodeEvent(content, ...signatures, countersigned));
  });

/** Throws `chain-invalid` when the author or the device is not active, or nobody would be left. */
export const revokeDevice = (request: Draft & { device: string }): Promise<Appended> =>
  append(request, { kind: 'revoke', device: request.device });

/**
 * Sets the recovery key or replaces it. Signed by the recovery key that is replaced it is final; signed by a device,
 * the replaced one can undo it for 30 days (`extendChain`). Throws `chain-invalid`.
 */
export const setRecoveryKey = (
  request: Draft & { recovery: { signing: KeyPair; sealing: RecoveryKey['sealing'] } },
): Promise<Appended> =>
  asChainInvalid(async () => {
    const { signing, sealing } = request.recovery;
    const body = { kind: 'recovery' as const, signing: signing.publicKey, sealing };
    const { content, signature } = await draft(request, body);
    const countersigned = await sign(signing.privateKey, joined(content));
    return appended(request.state, encodeEvent(content, signature, countersigned));
  });

/**
 * States the manifest of the archive, and the archive key by its commitment (`commitArchiveKey`): the current one
 * under its generation, or a new one under the next, which has to follow a revocation. Throws `chain-invalid`.
 */
export const setArchive = (
  request: Draft & { generation: number; commitment: Bytes; version: number; manifest: Bytes },
): Promise<Appended> => {
  const { generation, commitment, version, manifest } = request;
  return append(request, { kind: 'archive', generation, commitment, version, manifest });
};
