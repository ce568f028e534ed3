import { equal, utf8, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';

/** Levels of arrays and objects within each other. */
export const MAX_DEPTH = 32;

const refuse = (what: string): never => {
  throw new CryptoError('bad-encoding', what);
};

const isPlain = (value: object): value is Record<string, unknown> => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) && Object.getOwnPropertySymbols(value).length === 0
  );
};

const writeText = (text: string): string =>
  /\p{Surrogate}/u.test(text) ? refuse('text') : JSON.stringify(text);

// Assigning to such a key would set a prototype instead.
const writeKey = (key: string): string => (key === '__proto__' ? refuse('key') : writeText(key));

const write = (value: unknown, depth: number): string => {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return writeText(value);
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : refuse('number');
  }
  if (typeof value !== 'object') return refuse(typeof value);
  if (depth === MAX_DEPTH) return refuse('depth');
  if (Array.isArray(value)) {
    if (Object.keys(value).length !== value.length) return refuse('array');
    return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  }
  if (!isPlain(value)) return refuse('object');
  const members = Object.keys(value).toSorted();
  return `{${members.map((key) => `${writeKey(key)}:${write(value[key], depth + 1)}`).join(',')}}`;
};

/**
 * The one JSON encoding of a value: keys in the order of their UTF-16 code units, no white space, integers alone
 * (RFC 8785 without fractions). Takes null, booleans, safe integers, well-formed strings, arrays and plain objects,
 * 32 deep; throws `bad-encoding` for everything else, a property that is `undefined` included.
 */
export const encode = (value: unknown): Bytes => utf8(write(value, 0));

const parse = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return refuse('json');
  }
};

/** What `encode` encoded. Throws `bad-encoding` for any other bytes. */
export const decode = (bytes: Uint8Array): unknown => {
  const value = parse(bytes);
  // Also what is not UTF-8 and what has a byte order mark, since neither is encoded like that.
  if (!equal(encode(value), bytes)) refuse('not canonical');
  return value;
};
