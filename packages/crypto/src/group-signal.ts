import { encodeAddress, readAddress, type Address } from './address.ts';
import { concat, lp, Reader, toBase64url, u64, u8, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { chainIdBytes } from './group-message.ts';
import { sign, verify } from './keys.ts';
import { I } from './labels.ts';
import { groupBytes } from './membership-operation.ts';
import type { SenderKeys } from './sender-key-receive.ts';
import type { SenderKey } from './sender-key.ts';
import { SIGNAL_LIFETIME } from './limits.ts';

/** What somebody does in a group this moment. */
export interface GroupSignal {
  readonly from: Address;
  /** The sender key whose signing key proves it: 16 bytes, base64url. */
  readonly chainId: string;
  /** Milliseconds since 1970 by the sender's clock. */
  readonly sentAt: number;
  readonly typing: boolean;
}

const SIGNATURE_BYTES = 64;

const encode = ({ from, chainId, sentAt, typing }: GroupSignal): Bytes =>
  concat(encodeAddress(from), lp(chainIdBytes(chainId)), u64(sentAt), u8(typing ? 1 : 0));

/** What the signature covers: the group, which does not stand in it, and the rest. */
export const signedSignal = (group: string, signal: Bytes): Bytes =>
  I('group/signal', concat(lp(groupBytes(group)), signal));

/** To be sealed with `sealPost`. Takes no step of the chain: thousands may get lost. */
export const makeGroupSignal = async (
  own: SenderKey,
  what: { typing: boolean; now: number },
): Promise<Bytes> => {
  const { group, owner: from, chainId, signing } = own;
  const signal = encode({ from, chainId, sentAt: what.now, typing: what.typing });
  return concat(signal, await sign(signing.privateKey, signedSignal(group, signal)));
};

/** A claim, until `checkGroupSignal` has proved it. Throws `cannot-decrypt` for what is malformed. */
export const readGroupSignal = (bytes: Uint8Array): GroupSignal & { signature: Bytes } => {
  try {
    const reader = new Reader(bytes);
    const from = readAddress(reader);
    const chainId = toBase64url(reader.lp());
    const sentAt = reader.u64();
    const typing = reader.u8();
    const signature = reader.take(SIGNATURE_BYTES);
    reader.end();
    chainIdBytes(chainId);
    if (typing > 1) throw new CryptoError('bad-encoding', 'unknown');
    return { from, chainId, sentAt, typing: typing === 1, signature };
  } catch (error) {
    throw error instanceof CryptoError ? new CryptoError('cannot-decrypt') : error;
  }
};

/** Whether it is of the device that handed over `keys`, and of this moment. A replay is for the caller to tell, by `sentAt`. */
export const checkGroupSignal = async (
  { signature, ...signal }: GroupSignal & { signature: Bytes },
  { keys, now }: { keys: SenderKeys; now: number },
): Promise<boolean> => {
  const { from, chainId, sentAt } = signal;
  const key = keys.keys.find((one) => one.chainId === chainId);
  const isTheirs = keys.from.account === from.account && keys.from.device === from.device;
  if (!key || !isTheirs || Math.abs(now - sentAt) > SIGNAL_LIFETIME) return false;
  return verify(key.signing, signature, signedSignal(keys.group, encode(signal)));
};
