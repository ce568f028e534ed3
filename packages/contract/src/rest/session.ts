import * as z from 'zod/mini';
import { DeviceId } from '../ids.ts';
import { Signature } from '../keys.ts';

/** `POST /v1/session/challenges`. Answered alike for devices that exist and devices that do not. */
export const ChallengeRequest = z.strictObject({ device: DeviceId });
export type ChallengeRequest = z.infer<typeof ChallengeRequest>;

export const ChallengeResponse = z.strictObject({
  challenge: z.string().check(z.minLength(1), z.maxLength(1024)),
  expiresAt: z.int(),
});
export type ChallengeResponse = z.infer<typeof ChallengeResponse>;

/** `POST /v1/session/tokens`: the challenge signed by the device key, bound to the origin the client sees. */
export const TokenRequest = z.strictObject({
  device: DeviceId,
  challenge: z.string().check(z.minLength(1), z.maxLength(1024)),
  origin: z.string().check(z.minLength(1), z.maxLength(256)),
  signature: Signature,
});
export type TokenRequest = z.infer<typeof TokenRequest>;

export const TokenResponse = z.strictObject({
  token: z.string().check(z.minLength(1), z.maxLength(2048)),
  /** Milliseconds since 1970 by the relay's clock. */
  expiresAt: z.int(),
  /** Milliseconds the token lives, for a client whose clock is off. */
  expiresIn: z.int(),
});
export type TokenResponse = z.infer<typeof TokenResponse>;
