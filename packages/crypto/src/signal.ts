import { concat, equal, u64, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { MAX_SIGNALS, SIGNAL_LIFETIME } from './limits.ts';
import { encodeSignal, readBody } from './session-body.ts';
import { isExpired, type PeerState, type Session } from './session-state.ts';

/**
 * The live signals of a peer that came lately, to tell repeats: kept in memory, never stored. Starts as `[]`; one for
 * each device of a peer.
 */
export type SignalWindow = readonly { readonly iv: Bytes; readonly sentAt: number }[];

const IV_BYTES = 12;

const gcm = ({ th }: Session, iv: Bytes, sentAt: number) => ({
  name: 'AES-GCM',
  iv,
  additionalData: concat(th, iv, u64(sentAt)),
  tagLength: 128,
});

/**
 * The body of a live signal: off the message chain, under a key of the session, so that nothing has to be stored and
 * losing it harms nothing. Throws `no-session` while there is none that both sides are known to have. `now` is in
 * milliseconds since 1970, by the relay's clock as far as it is known. `iv` is for vectors alone.
 */
export const encryptSignal = async (request: {
  state: PeerState;
  plaintext: Uint8Array;
  now: number;
  iv?: Bytes;
}): Promise<{ body: Bytes }> => {
  const { state, now: sentAt, iv = crypto.getRandomValues(new Uint8Array(IV_BYTES)) } = request;
  const [session] = state.sessions;
  if (!session || session.handshake) throw new CryptoError('no-session');
  const plaintext = new Uint8Array(request.plaintext);
  const ciphertext = await crypto.subtle.encrypt(gcm(session, iv, sentAt), session.signal.send, plaintext);
  return { body: encodeSignal(session.id, iv, sentAt, new Uint8Array(ciphertext)) };
};

/** What a live signal said; `undefined` for one that is late or came before. Throws `no-session`, `cannot-decrypt`. */
export const decryptSignal = async (request: {
  state: PeerState | undefined;
  window: SignalWindow;
  body: Uint8Array;
  now: number;
}): Promise<{ plaintext: Bytes; window: SignalWindow } | undefined> => {
  const { state, window, now } = request;
  const body = readBody(request.body);
  if (body.type !== 'signal') throw new CryptoError('unsupported', 'a message');
  const { iv, sentAt, ciphertext } = body;
  const session = state?.sessions.find((one) => equal(one.id, body.session) && !isExpired(one, now));
  if (!session) throw new CryptoError('no-session');
  const isCurrent = (time: number) => Math.abs(now - time) <= SIGNAL_LIFETIME;
  const recent = window.filter((one) => isCurrent(one.sentAt));
  if (!isCurrent(sentAt) || recent.some((one) => equal(one.iv, iv))) return undefined;
  try {
    const plaintext = await crypto.subtle.decrypt(
      gcm(session, iv, sentAt),
      session.signal.receive,
      ciphertext,
    );
    return { plaintext: new Uint8Array(plaintext), window: [...recent, { iv, sentAt }].slice(-MAX_SIGNALS) };
  } catch (error) {
    const refused = error instanceof Error && error.name === 'OperationError';
    throw refused ? new CryptoError('cannot-decrypt') : error;
  }
};
