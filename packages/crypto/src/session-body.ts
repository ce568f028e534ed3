import { concat, lp, Reader, u16, u32, u64, u8, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { readHandshake, type Handshake } from './handshake.ts';
import { SUITE } from './labels.ts';

/** The kind of a sealed body that is a message, a handed-over key or a live signal of a session. */
export const KIND_SESSION = 2;

/** The bytes by which a message names its session: the first of `th`. */
export const SESSION_ID_BYTES = 16;

const VERSION = 1;
const MESSAGE = 1;
const FIRST_MESSAGE = 2;
const KEY = 3;
const FIRST_KEY = 4;
const SIGNAL = 5;

const POINT_BYTES = 65;
const IV_BYTES = 12;

export interface Header {
  /** The sender's ratchet key: 65 bytes. */
  readonly ratchet: Bytes;
  /** How many messages the sender's chain before this one has. */
  readonly previous: number;
  /** The number of this message in its chain, from 0. */
  readonly n: number;
  /** 12 bytes, random. */
  readonly iv: Bytes;
}

/** `ratchetPub(65) u32(pn) u32(n) iv(12)`. */
export const encodeHeader = ({ ratchet, previous, n, iv }: Header): Bytes =>
  concat(ratchet, u32(previous), u32(n), iv);

const readHeader = (reader: Reader): Header => ({
  ratchet: reader.take(POINT_BYTES),
  previous: reader.u32(),
  n: reader.u32(),
  iv: reader.take(IV_BYTES),
});

/** What a message carries, encrypted: text, or a key and the context that goes with it. */
export type Payload =
  | { readonly type: 'message'; readonly ciphertext: Bytes }
  | { readonly type: 'key'; readonly context: Bytes; readonly ciphertext: Bytes };

/** The session that a message belongs to, by its id or by the handshake that starts it. */
export type Route = { readonly session: Bytes } | { readonly handshake: Handshake };

export type Body =
  | { readonly type: 'message'; readonly route: Route; readonly header: Header; readonly payload: Payload }
  | {
      readonly type: 'signal';
      readonly session: Bytes;
      readonly iv: Bytes;
      readonly sentAt: number;
      readonly ciphertext: Bytes;
    };

const preamble = (type: number): Bytes => concat(u8(VERSION), u16(SUITE), u8(type));

const encodePayload = (payload: Payload): Bytes =>
  payload.type === 'key' ? concat(lp(payload.context), payload.ciphertext) : payload.ciphertext;

/** `handshake` is as `encodeHandshake` wrote it. */
export const encodeMessage = (
  route: { session: Bytes } | { handshake: Bytes },
  header: Header,
  payload: Payload,
): Bytes => {
  const first = 'handshake' in route;
  const types =
    payload.type === 'key' ? { first: FIRST_KEY, later: KEY } : { first: FIRST_MESSAGE, later: MESSAGE };
  return concat(
    preamble(first ? types.first : types.later),
    first ? route.handshake : route.session,
    encodeHeader(header),
    encodePayload(payload),
  );
};

export const encodeSignal = (session: Bytes, iv: Bytes, sentAt: number, ciphertext: Bytes): Bytes =>
  concat(preamble(SIGNAL), session, iv, u64(sentAt), ciphertext);

/** Throws `unsupported` for another version, suite or type, `cannot-decrypt` for what is malformed. */
export const readBody = (body: Uint8Array): Body => {
  try {
    const reader = new Reader(body);
    if (reader.u8() !== VERSION || reader.u16() !== SUITE) throw new CryptoError('unsupported');
    const type = reader.u8();
    if (type < MESSAGE || type > SIGNAL) throw new CryptoError('unsupported');
    if (type === SIGNAL) {
      const session = reader.take(SESSION_ID_BYTES);
      const iv = reader.take(IV_BYTES);
      return { type: 'signal', session, iv, sentAt: reader.u64(), ciphertext: reader.rest() };
    }
    const first = type === FIRST_MESSAGE || type === FIRST_KEY;
    const route = first ? { handshake: readHandshake(reader) } : { session: reader.take(SESSION_ID_BYTES) };
    const header = readHeader(reader);
    const payload: Payload =
      type === KEY || type === FIRST_KEY
        ? { type: 'key', context: reader.lp(), ciphertext: reader.rest() }
        : { type: 'message', ciphertext: reader.rest() };
    return { type: 'message', route, header, payload };
  } catch (error) {
    const malformed = error instanceof CryptoError && error.code === 'bad-encoding';
    throw malformed ? new CryptoError('cannot-decrypt') : error;
  }
};

/** The bytes that a used counter is remembered by. */
export const messageBytes = (header: Header, payload: Payload): Bytes =>
  concat(encodeHeader(header), encodePayload(payload));

/** The handshake of a body that starts a session: names the prekeys that `decrypt` needs. Throws as `readBody`. */
export const handshakeOf = (body: Uint8Array): Handshake | undefined => {
  const read = readBody(body);
  return read.type === 'message' && 'handshake' in read.route ? read.route.handshake : undefined;
};
