import type pg from 'pg';

const DAY = 24 * 60 * 60 * 1000;
/** How long a delivered envelope's id is remembered: a retry within it is still one delivery. */
const REMEMBER_MS = 7 * DAY;
/** An old link is told "expired" or "used" this long, "unknown" afterwards. */
const INVITE_MS = 30 * DAY;

/** Deletes what has served its time. `now` is milliseconds since 1970. */
export const sweep = async (pool: pg.Pool, now: number): Promise<void> => {
  await pool.query('DELETE FROM envelope WHERE acked_at < $1', [now - REMEMBER_MS]);
  // What was being stored while its device was removed.
  await pool.query(
    'DELETE FROM envelope USING device WHERE device.id = envelope.device AND device.removed_at IS NOT NULL',
  );
  await pool.query('DELETE FROM invite WHERE expires_at < $1', [new Date(now - INVITE_MS)]);
};
