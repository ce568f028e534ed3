import { deviceBytes } from './address.ts';
import { concat, lp, utf8, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { checkPoint, sign, verify, type PrivateKey } from './keys.ts';
import { I } from './labels.ts';

/** What a device says to be let in. */
export interface SignIn {
  /** Scheme, host and port of the relay as the client sees it: a statement made to one relay is of no use at another. */
  origin: string;
  device: string;
  /** As the relay gave it. */
  challenge: string;
}

/** The bytes that are signed. Throws `bad-encoding` for a malformed id or text. */
export const signInStatement = ({ origin, device, challenge }: SignIn): Bytes =>
  I('sign-in', concat(lp(utf8(origin)), lp(deviceBytes(device)), lp(utf8(challenge))));

/** 64 bytes. Throws `bad-encoding` for a malformed id or text. */
export const signSignIn = async (privateKey: PrivateKey, signIn: SignIn): Promise<Bytes> =>
  sign(privateKey, signInStatement(signIn));

/** False for a bad signature or a malformed statement. Throws `bad-key` for a bad `signingPublic`. */
export const verifySignIn = async (
  signingPublic: Bytes,
  signIn: SignIn,
  signature: Bytes,
): Promise<boolean> => {
  checkPoint(signingPublic);
  try {
    return await verify(signingPublic, signature, signInStatement(signIn));
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
};
