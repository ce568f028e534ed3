import { CryptoError } from './errors.ts';
import type { Bytes } from './bytes.ts';

const STEPS = [1024, 2048] as const;

/**
 * How long `length` bytes become: 1,024 or 2,048, then by Padmé (Nikitin et al., "Reducing Metadata Leakage from
 * Encrypted Files and Communication with PURBs", 2019), which adds less than 12 %.
 */
export const paddedLength = (length: number): number => {
  if (!Number.isInteger(length) || length < 0 || length > 2 ** 30)
    throw new CryptoError('bad-encoding', 'length');
  for (const step of STEPS) if (length <= step) return step;
  const exponent = 31 - Math.clz32(length);
  const mask = 2 ** (exponent - (32 - Math.clz32(exponent))) - 1;
  return (length + mask) & ~mask;
};

/** A copy of `bytes` and zeros up to the padded length. */
export const pad = (bytes: Uint8Array): Bytes => {
  const padded = new Uint8Array(paddedLength(bytes.length));
  padded.set(bytes);
  return padded;
};

/** True when `padded` is what `pad` makes of its first `length` bytes. */
export const isPadded = (padded: Uint8Array, length: number): boolean =>
  padded.length === paddedLength(length) && padded.subarray(length).every((byte) => byte === 0);
