import type { webcrypto } from 'node:crypto';

// Node has the object everywhere but not the type's name; @sotto/crypto uses the name.
declare global {
  type CryptoKey = webcrypto.CryptoKey;
}
