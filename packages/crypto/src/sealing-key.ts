import { encodeAddress, type Address } from './address.ts';
import { concat, lp, u32, u64, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { checkPoint, generateSealingPair, sign, verify, type KeyPair, type PrivateKey } from './keys.ts';
import { I } from './labels.ts';

/** A device's public key for sealed messages, signed by the device. */
export interface SealingKey {
  /** 1 to 2^32 - 1, chosen by the device, never reused by it. */
  id: number;
  /** Milliseconds since 1970, by the device's clock. */
  createdAt: number;
  publicKey: Bytes;
  signature: Bytes;
}

/** Throws `bad-encoding` for an id or a time out of bounds. */
const statement = (owner: Address, key: Omit<SealingKey, 'signature'>): Bytes => {
  if (key.id === 0) throw new CryptoError('bad-encoding', 'id 0');
  return I('sealing-key', concat(encodeAddress(owner), u32(key.id), u64(key.createdAt), lp(key.publicKey)));
};

/** A fresh sealing key of a device. Throws `bad-encoding` for ids or a time out of bounds. */
export const createSealingKey = async (
  request: Address & { signing: PrivateKey; id: number; createdAt: number },
): Promise<SealingKey & KeyPair> => {
  const { signing, id, createdAt } = request;
  const pair = await generateSealingPair();
  const signature = await sign(signing, statement(request, { id, createdAt, publicKey: pair.publicKey }));
  return { id, createdAt, ...pair, signature };
};

/**
 * Whether the device signed this key as its own. False also for a key that is not a point; throws `bad-key` only for
 * a bad `signingPublic`, which comes out of a verified chain.
 */
export const verifySealingKey = async (
  request: Address & { signingPublic: Bytes; sealingKey: SealingKey },
): Promise<boolean> => {
  const { signingPublic, sealingKey } = request;
  checkPoint(signingPublic);
  try {
    checkPoint(sealingKey.publicKey);
    return await verify(signingPublic, sealingKey.signature, statement(request, sealingKey));
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
};
