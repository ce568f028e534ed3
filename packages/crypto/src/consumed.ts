import { concat, equal, u32, type Bytes } from './bytes.ts';
import { sha256 } from './keys.ts';
import { MAX_CONSUMED } from './limits.ts';
import { messageBytes, type Header, type Payload } from './session-body.ts';

const TAG_BYTES = 8;
const COUNTER_BYTES = TAG_BYTES + 4;
const HASH_BYTES = 16;
const ENTRY_BYTES = COUNTER_BYTES + HASH_BYTES;

/** A message as it is remembered: 8 bytes of its ratchet key, its number, 16 bytes of its hash. */
export const entryOf = async (header: Header, payload: Payload): Promise<Bytes> => {
  const hash = await sha256(messageBytes(header, payload));
  return concat(header.ratchet.subarray(1, 1 + TAG_BYTES), u32(header.n), hash.subarray(0, HASH_BYTES));
};

/** `consumed` and one more; the oldest go when there are too many. */
export const remember = (consumed: Bytes, entry: Bytes): Bytes => {
  const most = ENTRY_BYTES * (MAX_CONSUMED - 1);
  return concat(consumed.subarray(Math.max(0, consumed.length - most)), entry);
};

/**
 * Whether a counter was used: by this very message, or by another, as happens when the sender went back to an
 * earlier state. The second is a hint, not a proof: the key that could tell is gone.
 */
export const recall = (consumed: Bytes, entry: Bytes): 'duplicate' | 'rollback' | undefined => {
  for (let at = 0; at < consumed.length; at += ENTRY_BYTES) {
    const known = consumed.subarray(at, at + ENTRY_BYTES);
    if (equal(known.subarray(0, COUNTER_BYTES), entry.subarray(0, COUNTER_BYTES))) {
      return equal(known, entry) ? 'duplicate' : 'rollback';
    }
  }
  return undefined;
};
