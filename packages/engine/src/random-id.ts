import { toBase64url } from '@sotto/crypto/bytes';

/** 16 random bytes, base64url: an envelope id, a message id, an invite's secret. */
export const randomId = (): string => toBase64url(crypto.getRandomValues(new Uint8Array(16)));
