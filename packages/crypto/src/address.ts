import { concat, fromBase64url, lp, toBase64url, type Bytes, type Reader } from './bytes.ts';
import { CryptoError } from './errors.ts';

/** One device of one account, as ids. */
export interface Address {
  /** 32 bytes, base64url. */
  account: string;
  /** 16 bytes, base64url. */
  device: string;
}

const ACCOUNT_BYTES = 32;
const DEVICE_BYTES = 16;

const sized = (bytes: Bytes, length: number): Bytes => {
  if (bytes.length !== length) throw new CryptoError('bad-encoding', `an id is not of ${length} bytes`);
  return bytes;
};

/** The bytes of a device id. Throws `bad-encoding`. */
export const deviceBytes = (device: string): Bytes => sized(fromBase64url(device), DEVICE_BYTES);

/** `lp(account) lp(device)`. Throws `bad-encoding`. */
export const encodeAddress = ({ account, device }: Address): Bytes =>
  concat(lp(sized(fromBase64url(account), ACCOUNT_BYTES)), lp(deviceBytes(device)));

/** Throws `bad-encoding`. */
export const readAddress = (reader: Reader): Address => {
  const account = toBase64url(sized(reader.lp(), ACCOUNT_BYTES));
  const device = toBase64url(sized(reader.lp(), DEVICE_BYTES));
  return { account, device };
};
