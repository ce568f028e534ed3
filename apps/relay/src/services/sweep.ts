import pg from 'pg';
import type { Logger } from '../log.ts';
import { DAY, dayOf } from '../store/days.ts';

const SWEEP_MS = 60 * 60 * 1000;
/** How long a delivered envelope's id is remembered: a retry within it is still one delivery. */
const REMEMBER_DAYS = 7;
/** An old link is told "expired" or "used" this long, "unknown" afterwards. */
const INVITE_DAYS = 30;
/** More days than anything waits. */
const KEEP_DAYS = 400;

export interface SweepOptions {
  /** Milliseconds since 1970. */
  now: number;
  /** Milliseconds that mail waits. */
  retention: number;
  /** Hears why something was not deleted; the rest is. */
  failed: (error: unknown) => void;
}

/**
 * Deletes what has served its time. A day counts when a relay of this database ran on it: nothing grows old over a leap of
 * the clock, nor while no relay runs.
 */
export const sweep = async (
  client: pg.ClientBase,
  { now, retention, failed }: SweepOptions,
): Promise<void> => {
  const attempt = async (text: string, values: unknown[] = []) =>
    client.query<{ day: number }>(text, values).catch(failed);
  const today = dayOf(now);
  const dayBefore = async (count: number): Promise<number | undefined> =>
    (
      await attempt('SELECT day FROM relay_day WHERE day <= $1 ORDER BY day DESC OFFSET $2 LIMIT 1', [
        today,
        count,
      ])
    )?.rows[0]?.day;
  /** What is older than so many days is from before this; 0 when not so many are known. */
  const before = async (days: number): Promise<number> => {
    const day = await dayBefore(Math.ceil(days) - 1);
    return day === undefined ? 0 : Math.min(day * DAY, now - days * DAY);
  };

  await attempt('INSERT INTO relay_day VALUES ($1) ON CONFLICT DO NOTHING', [today]);
  await attempt('DELETE FROM relay_day WHERE day < $1', [(await dayBefore(KEEP_DAYS)) ?? 0]);
  const forget = dayOf(await before(REMEMBER_DAYS));
  // By the time as well, which has an index: what was acknowledged by then came before.
  await attempt('DELETE FROM envelope WHERE acked_day < $1 AND at < $2', [forget, forget * DAY]);
  await attempt('DELETE FROM envelope WHERE acked_day IS NULL AND at < $1', [await before(retention / DAY)]);
  // What was being stored while its device was removed.
  await attempt(
    'DELETE FROM envelope USING device WHERE device.id = envelope.device AND device.removed_at IS NOT NULL',
  );
  await attempt('DELETE FROM envelope e WHERE NOT EXISTS (SELECT FROM device WHERE device.id = e.device)');
  await attempt(
    'DELETE FROM post WHERE NOT EXISTS (SELECT FROM envelope WHERE post = post.seq AND acked_day IS NULL)',
  );
  // Of whose members no account is left.
  await attempt(
    `DELETE FROM channel WHERE NOT EXISTS (
       SELECT FROM channel_member m JOIN account ON account.id = m.account WHERE m.channel = channel.id)`,
  );
  await attempt('DELETE FROM invite WHERE expires_at < $1', [new Date(await before(INVITE_DAYS))]);
  // Of minutes: a leap of the clock costs another code.
  await attempt('DELETE FROM email_code WHERE expires_at < $1', [new Date(now)]);
  await attempt('DELETE FROM phone_sign_in WHERE expires_at < $1', [new Date(now)]);
};

/** Sweeps now and every hour, on a connection of its own: what it takes is longer than others may wait. */
export const startSweeping = (
  connection: pg.ClientConfig,
  { now, retention, log }: { now: () => number; retention: number; log: Logger },
): { close(): Promise<void> } => {
  let client: pg.Client | undefined;
  let closed = false;
  const failed = (error: unknown): void => {
    if (!closed) log.warn({ error }, 'could not delete all that is old');
  };

  const run = async (): Promise<void> => {
    client = new pg.Client({
      ...connection,
      application_name: 'sotto-sweep',
      connectionTimeoutMillis: 5_000,
      query_timeout: SWEEP_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await sweep(client, { now: now(), retention, failed });
    } catch (error) {
      failed(error);
    }
    await client.end().catch(() => undefined);
  };

  let running = false;
  const begin = async (): Promise<void> => {
    if (running) return;
    running = true;
    await run();
    running = false;
  };
  void begin();
  const timer = setInterval(begin, SWEEP_MS);
  return {
    close: async () => {
      closed = true;
      clearInterval(timer);
      await client?.end().catch(() => undefined);
    },
  };
};
