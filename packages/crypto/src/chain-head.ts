import { deviceBytes } from './address.ts';
import { concat, equal, fromBase64url, lp, u32, u64, type Bytes } from './bytes.ts';
import type { ChainState } from './chain-rules.ts';
import { CryptoError } from './errors.ts';
import { deviceId, sign, verify, type KeyPair } from './keys.ts';
import { I } from './labels.ts';

/** A device's word that a chain ends here, made anew every week: an old one shows that something is withheld. */
export interface HeadStatement {
  /** 32 bytes. */
  head: Bytes;
  device: string;
  /** Milliseconds since 1970 by the device's clock. */
  signedAt: number;
  signature: Bytes;
}

/** How often a device signs the head of its chain anew. */
export const HEAD_INTERVAL_MS = 7 * 24 * 60 * 60 * 1000;

const statement = (state: ChainState, device: string, signedAt: number): Bytes => {
  const at = concat(lp(fromBase64url(state.account)), lp(state.head), u32(state.length));
  return I('chain/head', concat(at, lp(deviceBytes(device)), u64(signedAt)));
};

/** Throws `chain-invalid` when `signing` is of no active device, `bad-encoding` for a time out of bounds. */
export const signHead = async (request: {
  state: ChainState;
  signing: KeyPair;
  signedAt: number;
}): Promise<HeadStatement> => {
  const { state, signing, signedAt } = request;
  const device = await deviceId(signing.publicKey);
  if (!state.devices.some((active) => active.device === device))
    throw new CryptoError('chain-invalid', 'author');
  const signature = await sign(signing.privateKey, statement(state, device, signedAt));
  return { head: new Uint8Array(state.head), device, signedAt, signature };
};

/**
 * Whether an active device said this of the head of this chain. How old it may be is for the caller: age is shown and
 * blocks nobody.
 */
export const verifyHead = async (state: ChainState, head: HeadStatement): Promise<boolean> => {
  const author = state.devices.find(({ device }) => device === head.device);
  if (author === undefined || !equal(head.head, state.head)) return false;
  try {
    return await verify(author.signing, head.signature, statement(state, head.device, head.signedAt));
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
};
