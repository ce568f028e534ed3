import type { Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import {
  initiate,
  respond,
  type Handshake,
  type NamedPrekeys,
  type OwnDevice,
  type PublicDevice,
} from './handshake.ts';
import type { KeyPair, PrivateKey } from './keys.ts';
import type { PrekeyRef } from './prekey-plan.ts';
import { verifyBundle, type Bundle } from './prekeys.ts';
import {
  additionalData,
  initiatorRatchet,
  receive,
  responderRatchet,
  send,
  type MessageRandom,
} from './ratchet.ts';
import { encodeMessage, readBody, type Body, type Header, type Payload } from './session-body.ts';
import {
  checkPeer,
  emptyPeer,
  findSession,
  handshakeDue,
  makeSession,
  withReplay,
  withSession,
  type PeerState,
  type Session,
} from './session-state.ts';
import type { MessageKey } from './step.ts';

const TAG_BITS = 128;
/** 32 bytes of key and the tag. */
const WRAPPED_BYTES = 48;

/**
 * Starts a session that sends from now on; those before it receive. Checks all of the bundle first. `random` fixes
 * what is random, for vectors alone. Throws `bad-bundle`, and `bad-key` for keys that are none.
 */
export const startSession = async (request: {
  me: OwnDevice;
  peer: PublicDevice;
  bundle: Bundle;
  state?: PeerState | undefined;
  now: number;
  random?: { baseKey?: KeyPair; kemMessage?: Bytes };
}): Promise<{ state: PeerState }> => {
  const { me, peer, bundle, now } = request;
  const state = request.state ?? emptyPeer(peer);
  checkPeer(state, peer);
  await verifyBundle({ peer, bundle, now });
  const generation = state.generation + 1;
  const { handshake, th, root } = await initiate({ ...request, me, generation });
  const ratchet = initiatorRatchet(root, bundle.signed.publicKey);
  const session = await makeSession({ handshake, th, root, initiator: true, ratchet, now });
  return { state: withSession(state, session, now) };
};

const sendingSession = (state: PeerState, now: number): Session => {
  const [session] = state.sessions;
  if (!session) throw new CryptoError('no-session');
  if (handshakeDue(state, now) === 'unanswered') throw new CryptoError('session-expired');
  return session;
};

const gcm = (iv: Bytes, data: Bytes) => ({ name: 'AES-GCM', iv, additionalData: data, tagLength: TAG_BITS });

const sendIn = async (
  state: PeerState,
  now: number,
  usage: 'encrypt' | 'wrapKey',
  protect: (session: Session, key: MessageKey, header: Header) => Promise<Payload>,
  random?: MessageRandom,
): Promise<{ state: PeerState; body: Bytes }> => {
  const session = sendingSession(state, now);
  const { ratchet, header, payload } = await send(
    session.ratchet,
    usage,
    (key, made) => protect(session, key, made),
    random,
  );
  const route = session.handshake ? { handshake: session.handshake } : { session: session.id };
  const sessions = [{ ...session, ratchet }, ...state.sessions.slice(1)];
  return { state: { ...state, sessions }, body: encodeMessage(route, header, payload) };
};

/**
 * The body of a sealed message of `KIND_SESSION`. It leaves the device only after the state has been stored. Throws
 * `no-session`, `session-expired`. `random` is for vectors alone.
 */
export const encrypt = (request: {
  state: PeerState;
  plaintext: Uint8Array;
  now: number;
  random?: MessageRandom;
}): Promise<{ state: PeerState; body: Bytes }> => {
  const { state, now, random } = request;
  const plaintext = new Uint8Array(request.plaintext);
  const protect = async ({ th }: Session, key: MessageKey, header: Header): Promise<Payload> => {
    const algorithm = gcm(header.iv, additionalData(th, header));
    return {
      type: 'message',
      ciphertext: new Uint8Array(await crypto.subtle.encrypt(algorithm, key, plaintext)),
    };
  };
  return sendIn(state, now, 'encrypt', protect, random);
};

/**
 * The same with a key instead of text: an extractable AES-CTR-256 key, wrapped without ever being bytes in script.
 * `context`, up to 65,535 bytes, is authenticated, and hidden by nothing but the seal around the body.
 */
export const encryptKey = (request: {
  state: PeerState;
  key: PrivateKey;
  context: Bytes;
  now: number;
  random?: MessageRandom;
}): Promise<{ state: PeerState; body: Bytes }> => {
  const { state, key: handed, context, now, random } = request;
  const protect = async ({ th }: Session, key: MessageKey, header: Header): Promise<Payload> => {
    const algorithm = gcm(header.iv, additionalData(th, header, context));
    const ciphertext = new Uint8Array(await crypto.subtle.wrapKey('raw', handed, key, algorithm));
    return { type: 'key', context, ciphertext };
  };
  return sendIn(state, now, 'wrapKey', protect, random);
};

/** What a message held: text, or a key that may only unwrap and what was said about it. */
export type Content =
  | { readonly type: 'message'; readonly plaintext: Bytes }
  | { readonly type: 'key'; readonly key: PrivateKey; readonly context: Bytes };

export type Decrypted =
  | {
      readonly outcome: 'message';
      readonly state: PeerState;
      readonly content: Content;
      /** One-time prekeys to delete in the commit that stores the state. */
      readonly consumed: readonly PrekeyRef[];
      /** Whether the message came in the session that sends. */
      readonly sending: boolean;
    }
  | { readonly outcome: 'duplicate' | 'rollback' };

const openContent =
  (th: Bytes, header: Header, payload: Payload) =>
  async (key: MessageKey): Promise<Content> => {
    const { subtle } = crypto;
    const { ciphertext } = payload;
    if (payload.type === 'message') {
      const algorithm = gcm(header.iv, additionalData(th, header));
      return { type: 'message', plaintext: new Uint8Array(await subtle.decrypt(algorithm, key, ciphertext)) };
    }
    const { context } = payload;
    // AES-CTR would take shorter keys as well.
    if (ciphertext.length !== WRAPPED_BYTES) throw new CryptoError('cannot-decrypt');
    const algorithm = gcm(header.iv, additionalData(th, header, context));
    const handed = await subtle.unwrapKey('raw', ciphertext, key, algorithm, 'AES-CTR', false, ['unwrapKey']);
    return { type: 'key', key: handed, context };
  };

type Message = Extract<Body, { type: 'message' }>;

const receiveIn = async (session: Session, message: Message, now: number) => {
  const { header, payload } = message;
  const result = await receive(session.ratchet, message, now, openContent(session.th, header, payload));
  if (result.outcome !== 'message') return result;
  const { handshake: _, ...answered } = session;
  return { ...result, session: { ...answered, ratchet: result.ratchet } };
};

/** The session that a first message starts, once the message has been authenticated in it. */
const accept = async (request: {
  me: OwnDevice;
  peer: PublicDevice;
  state: PeerState;
  handshake: Handshake;
  message: Message;
  prekeys: NamedPrekeys;
  now: number;
}): Promise<Decrypted> => {
  const { state, handshake, message, now } = request;
  const { oneTimeId, pqKind, pqId } = handshake;
  const remembered = await withReplay(state, handshake);
  const { th, root, signed } = await respond(request);
  const ratchet = responderRatchet(root, signed);
  const fresh = await makeSession({ handshake, th, root, initiator: false, ratchet, now });
  const result = await receiveIn(fresh, message, now);
  if (result.outcome !== 'message') return result;
  const next = withSession(remembered, result.session, now);
  const consumed: PrekeyRef[] = [];
  if (oneTimeId !== undefined) consumed.push({ kind: 'one-time', id: oneTimeId });
  if (pqKind === 'pq-one-time') consumed.push({ kind: pqKind, id: pqId });
  return {
    outcome: 'message',
    state: next,
    content: result.content,
    consumed,
    sending: next.sessions[0] === result.session,
  };
};

/**
 * Takes in the body of a sealed message of `KIND_SESSION` that claims to come from `peer`, whose keys are those in its
 * verified chain. `prekeys` are those that `handshakeOf(body)` names, as far as this device has them. Nothing of `state`
 * changes but through what is returned.
 *
 * Throws `unsupported`, `no-session`, `prekey-unknown`, `replayed`, `too-far-ahead`, `message-expired`,
 * `cannot-decrypt`: for this device alone, see `asksRepair`.
 */
export const decrypt = async (request: {
  me: OwnDevice;
  peer: PublicDevice;
  state?: PeerState | undefined;
  prekeys?: NamedPrekeys;
  body: Uint8Array;
  now: number;
}): Promise<Decrypted> => {
  const { me, peer, body, now, prekeys = {} } = request;
  const state = request.state ?? emptyPeer(peer);
  checkPeer(state, peer);
  const read = readBody(body);
  if (read.type === 'signal') throw new CryptoError('unsupported', 'a signal');
  const { route } = read;
  try {
    const at = await findSession(state, route, now);
    if (at === -1) {
      if ('session' in route) throw new CryptoError('no-session');
      const { handshake } = route;
      return await accept({ me, peer, state, handshake, message: read, prekeys, now });
    }
    const result = await receiveIn(state.sessions[at]!, read, now);
    if (result.outcome !== 'message') return result;
    const sessions = state.sessions.with(at, result.session);
    const { content } = result;
    return { outcome: 'message', state: { ...state, sessions }, content, consumed: [], sending: at === 0 };
  } catch (error) {
    const malformed = error instanceof CryptoError && ['bad-key', 'bad-encoding'].includes(error.code);
    throw malformed ? new CryptoError('cannot-decrypt') : error;
  }
};
