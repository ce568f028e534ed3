import { encodeAddress, readAddress, type Address } from './address.ts';
import { concat, Reader, u8, u32, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import * as hpke from './hpke.ts';
import type { KeyPair } from './keys.ts';
import { I } from './labels.ts';
import { isPadded, pad } from './padding.ts';

const VERSION = 1;
const SUITE = hpke.AES_256_GCM;

const infoFor = (to: Address, keyId: number): Bytes => I('seal', concat(encodeAddress(to), u32(keyId)));

/**
 * Seals `body` to one device: what the relay stores, naming no sender. Proves nothing about who made it; the body
 * has to. `ephemeral` must serve one message only. Throws `bad-key` when the sealing key is not a point.
 */
export const seal = async (request: {
  from: Address;
  to: Address & { sealingKey: { id: number; publicKey: Bytes } };
  /** What the body is: 0 to 255. */
  kind: number;
  body: Uint8Array;
  ephemeral?: KeyPair;
}): Promise<Bytes> => {
  const { from, to, kind, body, ephemeral } = request;
  const { id, publicKey } = to.sealingKey;
  const header = concat(u8(VERSION), u32(id));
  const { enc, ciphertext } = await hpke.seal({
    suite: SUITE,
    recipient: publicKey,
    info: infoFor(to, id),
    aad: header,
    plaintext: pad(concat(u8(kind), encodeAddress(from), u32(body.length), body)),
    ...(ephemeral && { ephemeral }),
  });
  return concat(header, enc, ciphertext);
};

const readPlaintext = (plaintext: Bytes): { from: Address; kind: number; body: Bytes } => {
  const reader = new Reader(plaintext);
  const kind = reader.u8();
  const from = readAddress(reader);
  const body = reader.take(reader.u32());
  if (!isPadded(plaintext, plaintext.length - reader.rest().length)) throw new CryptoError('cannot-open');
  return { from, kind, body };
};

/**
 * Opens what `seal` made for this device. `from` is a claim until the body has proved it. Throws `unsupported` for
 * another version, `unknown-sealing-key` for a key that is not among `sealingKeys`, `cannot-open` for all else.
 */
export const open = async (request: {
  me: Address;
  sealingKeys: readonly (KeyPair & { id: number })[];
  envelope: Uint8Array;
}): Promise<{ from: Address; kind: number; body: Bytes }> => {
  const { me, sealingKeys, envelope } = request;
  try {
    const reader = new Reader(envelope);
    const version = reader.u8();
    if (version !== VERSION) throw new CryptoError('unsupported');
    const id = reader.u32();
    const recipient = sealingKeys.find((key) => key.id === id);
    if (recipient === undefined) throw new CryptoError('unknown-sealing-key');
    const enc = reader.take(hpke.ENC_BYTES);
    const aad = concat(u8(version), u32(id));
    const sealed = { enc, info: infoFor(me, id), aad, ciphertext: reader.rest() };
    return readPlaintext(await hpke.open({ suite: SUITE, recipient, ...sealed }));
  } catch (error) {
    const local = error instanceof CryptoError && ['unsupported', 'unknown-sealing-key'].includes(error.code);
    throw error instanceof CryptoError && !local ? new CryptoError('cannot-open') : error;
  }
};
