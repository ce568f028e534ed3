import { deviceBytes } from './address.ts';
import { concat, lp, Reader, toBase64url, u8, u32, u64, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { sha256 } from './keys.ts';
import { I } from './labels.ts';

/**
 * What an event says. `author` is the id of the key that signs it: of an active device, or of the recovery key, which
 * has an id made in the same way.
 */
export type EventBody =
  | { kind: 'create'; signing: Bytes; identity: Bytes }
  | { kind: 'add'; author: string; signing: Bytes; identity: Bytes }
  | { kind: 'revoke'; author: string; device: string }
  | { kind: 'recovery'; author: string; signing: Bytes; sealing: Bytes }
  | {
      kind: 'archive';
      author: string;
      /** Counts the archive keys from 1. */
      generation: number;
      /** Of the archive key: 32 bytes. */
      commitment: Bytes;
      /** Of the manifest; grows with each. */
      version: number;
      /** The manifest's hash: 32 bytes. */
      manifest: Bytes;
    };

/** An event: `lp(content)` and the signatures that its kind asks for. */
export interface ChainEvent {
  /** Milliseconds since 1970 by the author's clock: a claim. */
  createdAt: number;
  /** The hash of the event before; empty in the first. */
  previous: Bytes;
  body: EventBody;
  content: Bytes;
  /** By the author, and in `add` and `recovery` by the key that joins: 64 bytes each. */
  signatures: Bytes[];
}

/** Of one event on the wire. */
export const MAX_EVENT_BYTES = 4096;

const VERSION = 1;
const CODES = { create: 1, add: 2, revoke: 3, recovery: 4, archive: 5 } as const;
const SIGNATURES = { create: 1, add: 2, revoke: 1, recovery: 2, archive: 1 } as const;
const SIGNATURE_BYTES = 64;
const KEY_ID_BYTES = 16;
const HASH_BYTES = 32;

const encodeBody = (body: EventBody): Bytes => {
  switch (body.kind) {
    case 'create':
      return concat(lp(body.signing), lp(body.identity));
    case 'add':
      return concat(lp(deviceBytes(body.author)), lp(body.signing), lp(body.identity));
    case 'revoke':
      return concat(lp(deviceBytes(body.author)), lp(deviceBytes(body.device)));
    case 'recovery':
      return concat(lp(deviceBytes(body.author)), lp(body.signing), lp(body.sealing));
    case 'archive': {
      const key = concat(u32(body.generation), lp(body.commitment));
      return concat(lp(deviceBytes(body.author)), key, u64(body.version), lp(body.manifest));
    }
  }
};

const sized = (bytes: Bytes, length: number): Bytes => {
  if (bytes.length !== length) throw new CryptoError('bad-encoding', `not ${length} bytes`);
  return bytes;
};
const keyId = (reader: Reader): string => toBase64url(sized(reader.lp(), KEY_ID_BYTES));
const hash = (reader: Reader): Bytes => sized(reader.lp(), HASH_BYTES);

const readBody = (code: number, reader: Reader): EventBody => {
  switch (code) {
    case CODES.create:
      return { kind: 'create', signing: reader.lp(), identity: reader.lp() };
    case CODES.add:
      return { kind: 'add', author: keyId(reader), signing: reader.lp(), identity: reader.lp() };
    case CODES.revoke:
      return { kind: 'revoke', author: keyId(reader), device: keyId(reader) };
    case CODES.recovery:
      return { kind: 'recovery', author: keyId(reader), signing: reader.lp(), sealing: reader.lp() };
    case CODES.archive:
      return {
        kind: 'archive',
        author: keyId(reader),
        generation: reader.u32(),
        commitment: hash(reader),
        version: reader.u64(),
        manifest: hash(reader),
      };
    default:
      throw new CryptoError('bad-encoding', 'kind');
  }
};

/** The content of an event. Throws `bad-encoding` for what does not fit. */
export const encodeContent = (event: Pick<ChainEvent, 'createdAt' | 'previous' | 'body'>): Bytes => {
  const { createdAt, previous, body } = event;
  return concat(u8(VERSION), u8(CODES[body.kind]), u64(createdAt), lp(previous), encodeBody(body));
};

/** `lp(content)` and signatures. */
export const encodeEvent = (content: Bytes, ...signatures: readonly Bytes[]): Bytes =>
  concat(lp(content), ...signatures);

/**
 * An event, or, with `proposed`, one that the joining key has yet to sign. Checks the form and no signature. Throws
 * `bad-encoding`.
 */
export const parseEvent = (event: Bytes, proposed = false): ChainEvent => {
  if (event.length > MAX_EVENT_BYTES) throw new CryptoError('bad-encoding', 'length');
  const outer = new Reader(event);
  const content = outer.lp();
  const reader = new Reader(content);
  if (reader.u8() !== VERSION) throw new CryptoError('bad-encoding', 'version');
  const code = reader.u8();
  const createdAt = reader.u64();
  const previous = reader.lp();
  const body = readBody(code, reader);
  reader.end();
  const count = SIGNATURES[body.kind] - (proposed ? 1 : 0);
  const signatures = Array.from({ length: count }, () => outer.take(SIGNATURE_BYTES));
  outer.end();
  return { createdAt, previous, body, content, signatures };
};

/** What the author signs, and what is hashed. Signatures are not: they can be made anew. */
export const authored = (content: Bytes): Bytes => I('chain', content);

/** What a key that joins signs. */
export const joined = (content: Bytes): Bytes => I('chain/join', content);

/** 32 bytes. Of the first event it is the account id. */
export const eventHash = (content: Bytes): Promise<Bytes> => sha256(authored(content));
