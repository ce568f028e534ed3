import { createPublicKey, verify } from 'node:crypto';

/** Half the order of P-256: of the two s that verify, the smaller one is taken. */
const HALF_ORDER = Buffer.from('7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8', 'hex');

/**
 * Whether a key (65 bytes, an uncompressed point) signed a message, to the same effect as `verify` of @sotto/crypto. In this
 * thread: to hand it to another one takes longer.
 */
export const isSignedBy = (point: Buffer, signature: Buffer, message: Uint8Array): boolean => {
  if (signature.length !== 64 || signature.subarray(32).compare(HALF_ORDER) > 0) return false;
  const [x, y] = [point.toString('base64url', 1, 33), point.toString('base64url', 33)];
  // The form that is read fastest; a point off the curve is refused.
  const key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
  return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
};
