import type pg from 'pg';
import { DAY, dayOf } from '../store/days.ts';

/** How long a delivered envelope's id is remembered: a retry within it is still one delivery. */
const REMEMBER_DAYS = 7;
/** An old link is told "expired" or "used" this long, "unknown" afterwards. */
const INVITE_MS = 30 * DAY;

/** Deletes what has served its time. `now` is milliseconds since 1970, `retention` how many of them mail waits. */
export const sweep = async (
  pool: pg.Pool,
  { now, retention }: { now: number; retention: number },
): Promise<void> => {
  const forget = dayOf(now) - REMEMBER_DAYS;
  // By the time as well, which has an index: what was acknowledged by then came before.
  await pool.query('DELETE FROM envelope WHERE acked_day < $1 AND at < $2', [forget, forget * DAY]);
  await pool.query('DELETE FROM envelope WHERE acked_day IS NULL AND at < $1', [now - retention]);
  // What was being stored while its device was removed.
  await pool.query(
    'DELETE FROM envelope USING device WHERE device.id = envelope.device AND device.removed_at IS NOT NULL',
  );
  await pool.query('DELETE FROM envelope e WHERE NOT EXISTS (SELECT FROM device WHERE device.id = e.device)');
  await pool.query(
    'DELETE FROM post WHERE NOT EXISTS (SELECT FROM envelope WHERE post = post.seq AND acked_day IS NULL)',
  );
  // Of whose members no account is left.
  await pool.query(
    `DELETE FROM channel WHERE NOT EXISTS (
       SELECT FROM channel_member m JOIN account ON account.id = m.account WHERE m.channel = channel.id)`,
  );
  await pool.query('DELETE FROM invite WHERE expires_at < $1', [new Date(now - INVITE_MS)]);
  await pool.query('DELETE FROM email_code WHERE expires_at < $1', [new Date(now)]);
  await pool.query('DELETE FROM phone_sign_in WHERE expires_at < $1', [new Date(now)]);
};
