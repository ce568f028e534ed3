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
const HEADER_BYTES = POINT_BYTES + 4 + 4 + IV_BYTES;

export interface Header {
  /** The sender's ratchet key: 65 bytes. */
  readonly ratchet: Bytes;
  /** How many messages the sender's chain before this one has. */
  readonly previous: number;
  /** The number of this message in its chain, from 0. */
  readonly n: number;
  /** 12 bytes, random. */
  readonly iv: Bytes;
  /** As `encodeHeader` writes it. */
  readonly bytes: Bytes;
}

/** `ratchetPub(65) u32(pn) u32(n) iv(12)`. */
export const encodeHeader = ({ ratchet, previous, n, iv }: Omit<Header, 'bytes'>): Bytes =>
  concat(ratchet, u32(previous), u32(n), iv);

/** What it gives are views of `bytes`, whose beginning it is. */
const readHeader = (bytes: Bytes): Header => {
  const numbers = new Reader(bytes);
  numbers.pass(POINT_BYTES);
  return {
    ratchet: bytes.subarray(0, POINT_BYTES),
    previous: numbers.u32(),
    n: numbers.u32(),
    iv: bytes.subarray(numbers.pass(IV_BYTES), HEADER_BYTES),
    bytes: bytes.subarray(0, HEADER_BYTES),
  };
};

/** What a message carries, encrypted: text, or a key and the context that goes with it. */
export type Payload =
  | { readonly type: 'message'; readonly ciphertext: Bytes }
  | { readonly type: 'key'; readonly context: Bytes; readonly ciphertext: Bytes };

/** The session that a message belongs to, by its id or by the handshake that starts it. */
export type Route = { readonly session: Bytes } | { readonly handshake: Handshake };

export type Body =
  | {
      readonly type: 'message';
      readonly route: Route;
      readonly header: Header;
      readonly payload: Payload;
      /** Header and payload as they came: what a used counter is remembered by. */
      readonly bytes: Bytes;
    }
  | {
      readonly type: 'signal';
      readonly session: Bytes;
      readonly iv: Bytes;
      readonly sentAt: number;
      readonly ciphertext: Bytes;
    };

const PREAMBLE = concat(u8(VERSION), u16(SUITE));

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
    PREAMBLE,
    u8(first ? types.first : types.later),
    first ? route.handshake : route.session,
    header.bytes,
    encodePayload(payload),
  );
};

export const encodeSignal = (session: Bytes, iv: Bytes, sentAt: number, ciphertext: Bytes): Bytes =>
  concat(PREAMBLE, u8(SIGNAL), session, iv, u64(sentAt), ciphertext);

const readType = (reader: Reader): number => {
  if (reader.u8() !== VERSION || reader.u16() !== SUITE) throw new CryptoError('unsupported');
  const type = reader.u8();
  if (type < MESSAGE || type > SIGNAL) throw new CryptoError('unsupported');
  return type;
};

const isFirst = (type: number): boolean => type === FIRST_MESSAGE || type === FIRST_KEY;

const refusing = <T>(read: () => T): T => {
  try {
    return read();
  } catch (error) {
    const malformed = error instanceof CryptoError && error.code === 'bad-encoding';
    throw malformed ? new CryptoError('cannot-decrypt') : error;
  }
};

/** Throws `unsupported` for another version, suite or type, `cannot-decrypt` for what is malformed. */
export const readBody = (body: Uint8Array): Body =>
  refusing(() => {
    // Copied once: a message's parts are views of this.
    const own: Bytes = new Uint8Array(body);
    const reader = new Reader(own);
    const type = readType(reader);
    if (type === SIGNAL) {
      const session = reader.take(SESSION_ID_BYTES);
      const iv = reader.take(IV_BYTES);
      return { type: 'signal', session, iv, sentAt: reader.u64(), ciphertext: reader.rest() };
    }
    const route = isFirst(type)
      ? { handshake: readHandshake(reader) }
      : { session: reader.take(SESSION_ID_BYTES) };
    const bytes = own.subarray(reader.pass(HEADER_BYTES));
    const header = readHeader(bytes);
    const payload: Payload =
      type === KEY || type === FIRST_KEY
        ? { type: 'key', context: reader.lp(), ciphertext: own.subarray(reader.pass(0)) }
        : { type: 'message', ciphertext: own.subarray(reader.pass(0)) };
    return { type: 'message', route, header, payload, bytes };
  });

/**
 * The handshake of a body that starts a session: names the prekeys that `decrypt` needs. Throws as `readBody`, which
 * reads on behind it.
 */
export const handshakeOf = (body: Uint8Array): Handshake | undefined =>
  refusing(() => {
    const reader = new Reader(body);
    return isFirst(readType(reader)) ? readHandshake(reader) : undefined;
  });
