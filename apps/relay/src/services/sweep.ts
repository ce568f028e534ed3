import type pg from 'pg';
import { DAY, dayOf } from '../store/days.ts';

/** How long a delivered envelope's id is remembered: a retry within it is still one delivery. */
const REMEMBER_DAYS = 7;
/** An old link is told "expired" or "used" this long, "unknown" afterwards. */
const INVITE_MS = 30 * DAY;

/** Deletes what has served its time. `now` is milliseconds since 1970. */
export const sweep = async (pool: pg.Pool, now: number): Promise<void> => {
  await pool.query('DELETE FROM envelope WHERE acked_day < $1', [dayOf(now) - REMEMBER_DAYS]);
  // What was being stored while its device was removed.
  await pool.query(
    'DELETE FROM envelope USING device WHERE device.id = envelope.device AND device.removed_at IS NOT NULL',
  );
  await pool.query('DELETE FROM invite WHERE expires_at < $1', [new Date(now - INVITE_MS)]);
};
