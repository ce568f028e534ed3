import { CryptoError } from './errors.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

export const concat = (...parts: readonly Uint8Array[]): Bytes => {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

const ENCODER = new TextEncoder();

/** Throws `bad-encoding` for a lone surrogate: an encoder would turn it into U+FFFD and two texts into one. */
export const utf8 = (text: string): Bytes => {
  if (/\p{Surrogate}/u.test(text)) throw new CryptoError('bad-encoding', 'lone surrogate');
  return new Uint8Array(ENCODER.encode(text));
};

const bigEndian = (value: number, size: number): Bytes => {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
    throw new CryptoError('bad-encoding', `not an integer of ${size} bytes`);
  }
  const bytes = new Uint8Array(size);
  for (let i = size - 1, rest = value; i >= 0; i -= 1, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
  return bytes;
};

/** Big endian. These four throw `bad-encoding` for what does not fit, `u64` also past 2^53 - 1. */
export const u8 = (value: number): Bytes => bigEndian(value, 1);
export const u16 = (value: number): Bytes => bigEndian(value, 2);
export const u32 = (value: number): Bytes => bigEndian(value, 4);
export const u64 = (value: number): Bytes => bigEndian(value, 8);

/** `bytes` behind their length as a u16. Throws `bad-encoding` past 65,535 bytes. */
export const lp = (bytes: Uint8Array): Bytes => concat(u16(bytes.length), bytes);

/** Takes as long for equal as for different bytes of one length. */
export const equal = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i += 1) difference |= a[i]! ^ b[i]!;
  return difference === 0;
};

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** By the code of a letter. */
const VALUES: (number | undefined)[] = [];
for (let value = 0; value < ALPHABET.length; value += 1) VALUES[ALPHABET.charCodeAt(value)] = value;

/** RFC 4648 section 5, without padding. */
export const toBase64url = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const characters = Math.min(bytes.length - i, 3) + 1;
    for (let j = 0; j < characters; j += 1) text += ALPHABET[(group >> (18 - 6 * j)) & 63];
  }
  return text;
};

/** Throws `bad-encoding` for everything that `toBase64url` does not write: padding, other letters, stray bits. */
export const fromBase64url = (text: string): Bytes => {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < text.length; i += 1) {
    const value = VALUES[text.charCodeAt(i)];
    if (value === undefined) throw new CryptoError('bad-encoding', 'base64url');
    bits = ((bits << 6) | value) & 0xfff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at] = bits >> held;
      at += 1;
    }
  }
  if (text.length % 4 === 1 || (bits & ((1 << held) - 1)) !== 0)
    throw new CryptoError('bad-encoding', 'base64url');
  return bytes;
};

/** Reads an encoding from front to back; every method throws `bad-encoding` where the bytes do not suffice. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Passes the next `length` bytes, for who has what they are read from. Gives where they begin. */
  pass(length: number): number {
    if (length > this.#bytes.length - this.#at) throw new CryptoError('bad-encoding', 'truncated');
    this.#at += length;
    return this.#at - length;
  }

  /** A copy of the next `length` bytes. */
  take(length: number): Bytes {
    const from = this.pass(length);
    // Not `slice`: that of Node's Buffer shares memory.
    return new Uint8Array(this.#bytes.subarray(from, from + length));
  }

  #number(size: number): number {
    let value = 0;
    for (let at = this.pass(size); at < this.#at; at += 1) value = value * 256 + this.#bytes[at]!;
    if (!Number.isSafeInteger(value)) throw new CryptoError('bad-encoding', 'integer past 2^53 - 1');
    return value;
  }

  u8(): number {
    return this.#number(1);
  }

  u16(): number {
    return this.#number(2);
  }

  u32(): number {
    return this.#number(4);
  }

  u64(): number {
    return this.#number(8);
  }

  lp(): Bytes {
    return this.take(this.u16());
  }

  /** All that is left. */
  rest(): Bytes {
    return this.take(this.#bytes.length - this.#at);
  }

  /** Throws unless everything has been read. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new CryptoError('bad-encoding', 'trailing bytes');
  }
}
