import { concat, u32, type Bytes } from './bytes.ts';
import { sha256 } from './keys.ts';
import { MAX_CONSUMED } from './limits.ts';
import type { Header } from './session-body.ts';

const TAG_BYTES = 8;
const COUNTER_BYTES = TAG_BYTES + 4;
const HASH_BYTES = 16;
const ENTRY_BYTES = COUNTER_BYTES + HASH_BYTES;
const PART_BYTES = 40 * ENTRY_BYTES;

/**
 * Used counters, entry behind entry, the newest last. In parts, of which the first and the last may be short: one more
 * then copies these two, and not all that is remembered.
 */
export type Consumed = readonly Bytes[];

/** A message as it is remembered: 8 bytes of its ratchet key, its number, 16 bytes of its hash. */
export const entryOf = async ({ ratchet, n }: Header, message: Bytes): Promise<Bytes> => {
  const hash = await sha256(message);
  return concat(ratchet.subarray(1, 1 + TAG_BYTES), u32(n), hash.subarray(0, HASH_BYTES));
};

/** `consumed` and one more; the oldest go when there are too many. */
export const remember = (consumed: Consumed, entry: Bytes): Consumed => {
  const last = consumed.at(-1);
  const isFull = !last || last.length === PART_BYTES;
  const grown = isFull ? [...consumed, entry] : [...consumed.slice(0, -1), concat(last, entry)];
  const length = grown.reduce((sum, part) => sum + part.length, 0);
  if (length <= ENTRY_BYTES * MAX_CONSUMED) return grown;
  const [oldest, ...others] = grown;
  return oldest!.length === ENTRY_BYTES ? others : [oldest!.slice(ENTRY_BYTES), ...others];
};

/** Whether the bytes of `entry` up to `end` stand in `part` from `at` on. None of them is secret. */
const stands = (part: Bytes, at: number, entry: Bytes, end: number): boolean => {
  for (let i = 0; i < end; i += 1) if (part[at + i] !== entry[i]) return false;
  return true;
};

/**
 * Whether a counter was used: by this very message, or by another, as happens when the sender went back to an
 * earlier state. The second is a hint, not a proof: the key that could tell is gone.
 */
export const recall = (consumed: Consumed, entry: Bytes): 'duplicate' | 'rollback' | undefined => {
  for (const part of consumed) {
    for (let at = 0; at < part.length; at += ENTRY_BYTES) {
      if (stands(part, at, entry, COUNTER_BYTES)) {
        return stands(part, at, entry, ENTRY_BYTES) ? 'duplicate' : 'rollback';
      }
    }
  }
  return undefined;
};
