import * as z from 'zod/mini';
import { base64url } from './bytes.ts';
import { LIMITS } from './limits.ts';

/** A P-256 point, uncompressed: 65 bytes, the first 0x04. */
export const PublicKey = base64url({ min: 65, max: 65 });

/** ECDSA P-256 in P1363 form, low-s: 64 bytes. */
export const Signature = base64url({ min: 64, max: 64 });

/** One event of an account chain as its author's device encoded it. */
export const ChainEvent = base64url({ max: LIMITS.chainEventBytes });

/** A device's sealing key with the device's signature over account, device, id, creation time and key. */
export const SealingKey = z.strictObject({
  id: z.int().check(z.minimum(1), z.maximum(0xffffffff)),
  /** Milliseconds since 1970. */
  createdAt: z.int().check(z.minimum(0)),
  publicKey: PublicKey,
  signature: Signature,
});
export type SealingKey = z.infer<typeof SealingKey>;

const prekey = {
  /** Chosen by the device, never reused by it for this kind. */
  id: z.int().check(z.minimum(1), z.maximum(0xffffffff)),
  /** Milliseconds since 1970, by the device's clock. */
  createdAt: z.int().check(z.minimum(0)),
  expiresAt: z.int().check(z.minimum(0)),
  /** By the device, over account, device, kind and all else that stands here. */
  signature: Signature,
};

/** A signed or one-time prekey: P-256. */
export const EcPrekey = z.strictObject({ ...prekey, publicKey: PublicKey });
export type EcPrekey = z.infer<typeof EcPrekey>;

/** A post-quantum prekey: ML-KEM-768, 1,184 bytes. */
export const PqPrekey = z.strictObject({ ...prekey, publicKey: base64url({ min: 1184, max: 1184 }) });
export type PqPrekey = z.infer<typeof PqPrekey>;
