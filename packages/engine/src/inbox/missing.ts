import { MAX_SKIPPED } from '@sotto/crypto/limits';
import type { Ratchet } from '@sotto/crypto/ratchet';
import type { PeerState } from '@sotto/crypto/session-state';
import type { PeerRow } from '../rows.ts';

/** Of chains that the peer has left: the messages at their end. How many there are is the peer's word. */
const missingAtEnds = ({ receiving }: Ratchet): number =>
  receiving.reduce((sum, { n, old }) => sum + (old ? Math.min(old.end - n, MAX_SKIPPED) : 0), 0);

/** How many messages of a device others have overtaken. One that was encrypted anew never comes. */
export const missingOf = ({ sessions }: PeerState): number =>
  sessions.reduce((sum, { ratchet }) => sum + ratchet.skipped.length + missingAtEnds(ratchet), 0);

/** The row, with what is missing by its state. What came, or is given up, counts as asked for no longer. */
export const withMissing = (row: PeerRow): PeerRow => {
  const missing = missingOf(row.state);
  const asked = Math.min(row.asked ?? 0, missing);
  return missing === row.missing && asked === (row.asked ?? 0) ? row : { ...row, missing, asked };
};
