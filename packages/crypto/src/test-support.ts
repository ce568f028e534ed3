import type { Address } from './address.ts';
import { toBase64url, type Bytes } from './bytes.ts';
import { deviceId, generateSigningKey, type KeyPair } from './keys.ts';

export const fromHex = (hex: string): Bytes =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** `bytes` with some bits of one byte turned. */
export const flipped = (bytes: Uint8Array, at: number, mask = 1): Bytes => {
  const copy = new Uint8Array(bytes);
  copy[at]! ^= mask;
  return copy;
};

export const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length));

/** A key pair from a known scalar, extractable as only test keys are. */
export const importPair = async (
  algorithm: 'ECDSA' | 'ECDH',
  privateKey: string,
  publicKey: string,
): Promise<KeyPair> => {
  const point = fromHex(publicKey);
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    d: toBase64url(fromHex(privateKey)),
    x: toBase64url(point.subarray(1, 33)),
    y: toBase64url(point.subarray(33)),
  };
  const usages: ('sign' | 'deriveBits' | 'deriveKey')[] =
    algorithm === 'ECDSA' ? ['sign'] : ['deriveBits', 'deriveKey'];
  const imported = await crypto.subtle.importKey(
    'jwk',
    jwk,
    { name: algorithm, namedCurve: 'P-256' },
    true,
    usages,
  );
  return { publicKey: point, privateKey: imported };
};

/** A device with an address of its own; the account is any. */
export const someDevice = async (): Promise<Address & { signing: KeyPair }> => {
  const signing = await generateSigningKey();
  return { account: toBase64url(random(32)), device: await deviceId(signing.publicKey), signing };
};

const GENERATOR =
  '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296' +
  '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5';
const G = fromHex(`04${GENERATOR}`);

/** Everything that must not pass for a public key, by what is wrong with it. */
export const BAD_POINTS: Record<string, Bytes> = {
  empty: fromHex(''),
  'the point at infinity': fromHex('00'),
  compressed: fromHex(`03${GENERATOR.slice(0, 64)}`),
  'compressed, at full length': fromHex(`03${GENERATOR}`),
  hybrid: fromHex(`07${GENERATOR}`),
  zeros: fromHex(`04${'00'.repeat(64)}`),
  'off the curve': flipped(G, 64),
  // x is 5, written as 5 + p.
  'x past the field': fromHex(
    '04ffffffff00000001000000000000000000000001000000000000000000000004' +
      '459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc',
  ),
  // y is 1, written as 1 + p.
  'y past the field': fromHex(
    '046916fac45e568b6b9e2e2ecd611b282e5fcc40a3067d601057f879ce5a8a73cc' +
      'ffffffff00000001000000000000000000000001000000000000000000000000',
  ),
  'one byte short': G.slice(0, 64),
  'one byte long': fromHex(`04${GENERATOR}00`),
  'one byte long, with the same coordinates': fromHex(`04${GENERATOR.slice(0, 64)}00${GENERATOR.slice(64)}`),
};

/** All bytes in plain data, as text. */
const bytesOf = (value: unknown): string => {
  if (value instanceof Uint8Array) return toHex(value);
  if (typeof value !== 'object' || value === null || value instanceof CryptoKey) return '';
  return Object.values(value).map(bytesOf).join();
};

const freeze = (value: unknown): void => {
  if (typeof value !== 'object' || value === null) return;
  // Bytes cannot be frozen.
  if (ArrayBuffer.isView(value)) return;
  if (value instanceof CryptoKey) return;
  Object.freeze(value);
  for (const each of Object.values(value)) freeze(each);
};

/** Runs `work` on inputs that are frozen all the way down, and throws when it changed bytes in them. */
export const unchanged = async <T, R>(inputs: T, work: (inputs: T) => Promise<R>): Promise<R> => {
  freeze(inputs);
  const before = bytesOf(inputs);
  const result = await work(inputs);
  if (bytesOf(inputs) !== before) throw new Error('an input was changed');
  return result;
};
