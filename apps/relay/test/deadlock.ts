import type { DeviceId } from '@sotto/contract/ids';
import type pg from 'pg';
import { expect } from 'vitest';
import { idBytesOf } from './device.ts';
import { eventually } from './harness.ts';

/**
 * Runs what removes a device, and lets PostgreSQL end it so many times: somebody holds the device's inbox and comes for
 * `row`, which the removal holds by then. What the removal came to.
 */
export const amidDeadlocks = async <T>(
  pool: pg.Pool,
  { device, row, times }: { device: DeviceId; row: 'account' | 'device'; times: number },
  remove: () => Promise<T>,
): Promise<T> => {
  const id = idBytesOf(device);
  await pool.query("INSERT INTO prekey VALUES ($1, 2, 77, 0, 0, '', '')", [id]);
  await pool.query('INSERT INTO envelope (device, id, at) VALUES ($1, $2, 1)', [id, Buffer.alloc(16, 1)]);
  const [rival, pause] = [await pool.connect(), await pool.connect()];
  const { rows } = await rival.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const waiting = (who: string) =>
    eventually(async () => {
      const { rowCount } = await pause.query(`SELECT FROM pg_locks WHERE NOT granted AND ${who}`);
      expect(rowCount).toBeGreaterThan(0);
    });
  const hold = async () => {
    await pause.query('BEGIN');
    await pause.query('SELECT FROM prekey WHERE device = $1 FOR UPDATE', [id]);
  };
  // It is not the one that is ended.
  await rival.query("BEGIN; SET LOCAL deadlock_timeout = '1min'");
  await rival.query('SELECT FROM envelope WHERE device = $1 FOR UPDATE', [id]);
  await rival.query('SAVEPOINT held');
  await hold();
  const removal = remove();
  for (let n = 1; n <= times; n += 1) {
    // The removal has its rows but for the inbox.
    await waiting('pg_backend_pid() = ANY(pg_blocking_pids(pid))');
    const taken = rival.query(`SELECT FROM ${row} FOR UPDATE`);
    await waiting(`pid = ${rows[0]!.pid}`);
    await pause.query('COMMIT');
    await taken;
    if (n < times) await hold();
    await rival.query('ROLLBACK TO SAVEPOINT held');
  }
  pause.release();
  await rival.query('COMMIT');
  rival.release();
  return removal;
};
