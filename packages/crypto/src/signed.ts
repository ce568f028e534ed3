import { encodeAddress, type Address } from './address.ts';
import { concat, lp, Reader, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { checkPoint, sign, verify, type PrivateKey } from './keys.ts';
import { I } from './labels.ts';

/** The kind of a sealed body that is a signature and the content it covers. */
export const KIND_SIGNED = 1;

const SIGNATURE_BYTES = 64;

const statement = (from: Address, to: Address, content: Bytes): Bytes =>
  I('signed', concat(encodeAddress(to), encodeAddress(from), lp(content)));

/** `signature(64) content`. Throws `bad-encoding` for content past 65,535 bytes. */
export const signBody = async (request: {
  from: Address;
  to: Address;
  signing: PrivateKey;
  content: Bytes;
}): Promise<Bytes> => {
  const { from, to, signing, content } = request;
  return concat(await sign(signing, statement(from, to, content)), content);
};

/**
 * The content, once it is proved that `from` signed it for `to`. Throws `bad-signature`, and `bad-key` for a bad
 * `signingPublic`, which comes out of a verified chain.
 */
export const verifyBody = async (request: {
  from: Address;
  to: Address;
  signingPublic: Bytes;
  body: Bytes;
}): Promise<Bytes> => {
  const { from, to, signingPublic, body } = request;
  checkPoint(signingPublic);
  try {
    const reader = new Reader(body);
    const signature = reader.take(SIGNATURE_BYTES);
    const content = reader.rest();
    if (await verify(signingPublic, signature, statement(from, to, content))) return content;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
  }
  throw new CryptoError('bad-signature');
};
