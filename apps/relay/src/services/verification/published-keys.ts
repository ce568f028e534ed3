import { RelayError } from '@sotto/contract/errors';
import * as jose from 'jose';

/** Where Google publishes the keys that sign Firebase's ID tokens. */
export const GOOGLE_KEYS =
  'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com';

const MAX_AGE_MS = 60 * 60 * 1000;

/** Not that a key is missing, but that the keys could not be had. */
const isOutage = (error: unknown): boolean =>
  !(error instanceof jose.errors.JOSEError) ||
  error instanceof jose.errors.JWKSTimeout ||
  error instanceof jose.errors.JWKSInvalid ||
  // What jose throws for another status and for no JSON.
  error.code === jose.errors.JOSEError.code;

/**
 * Google's keys, fetched when the first is needed and kept for an hour; sooner again for a key that is not among them, at most every 30 seconds.
 * What it returns throws RelayError `busy` when they cannot be had, JOSEError when a token's key is not among them.
 */
export const publishedKeys = (request: typeof fetch = fetch): jose.JWTVerifyGetKey => {
  const keys = jose.createRemoteJWKSet(new URL(GOOGLE_KEYS), {
    cacheMaxAge: MAX_AGE_MS,
    [jose.customFetch]: request,
  });
  return (header, token) =>
    keys(header, token).catch((cause: unknown) => {
      throw isOutage(cause) ? new RelayError('busy', undefined, { cause }) : cause;
    });
};
