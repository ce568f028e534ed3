import type { Bytes } from './bytes.ts';
import { I } from './labels.ts';
import type { PrivateKey } from './keys.ts';
import { unwrapOpaque, type Opaque } from './step.ts';

/**
 * A secret on its way: an AES-CTR-256 key that encrypts nothing and may only unwrap. Extractable while it is wrapped
 * for somebody, and then not to be stored; what a session hands to the receiver is not.
 */
export type Carrier = PrivateKey;

const CTR_256 = { name: 'AES-CTR', length: 256 };
const ZEROS = new Uint8Array(32);
const NONE = new Uint8Array(0);

/** A fresh secret, extractable. */
export const generateCarrier = (): Promise<Carrier> =>
  crypto.subtle.generateKey(CTR_256, true, ['unwrapKey']);

/** What a carrier carries, as a key that may only derive: 32 zero bytes, unwrapped under it in counter mode. */
export const openCarrier = (carrier: Carrier): Promise<Opaque> => unwrapOpaque(carrier);

/** The carrier of the chain behind `chain`, extractable: `openCarrier` of it is `nextChain(chain)`. */
export const carrierOfNext = (chain: Opaque): Promise<Carrier> =>
  crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: ZEROS, info: I('next', NONE) },
    chain,
    CTR_256,
    true,
    ['unwrapKey'],
  );

/** A key on its way inside a pairwise session: what `encryptKey` there takes, and `decrypt` gives. */
export interface Handed {
  readonly key: Carrier;
  /** What the key is for; authenticated with it. */
  readonly context: Bytes;
}
