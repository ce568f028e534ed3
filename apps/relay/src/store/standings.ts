import type { DeviceId } from '@sotto/contract/ids';
import type pg from 'pg';
import { idsArray } from './arrays.ts';

/** How a device stands with the relay, and whether something waits for it. */
export interface Standing {
  state: 'active' | 'removed' | 'unknown';
  waiting: boolean;
}

/** In the order of the devices. */
export const selectStandings = async (pool: pg.Pool, devices: readonly DeviceId[]): Promise<Standing[]> => {
  const { rows } = await pool.query<Standing>({
    name: 'standings',
    text: `SELECT CASE WHEN d.id IS NULL THEN 'unknown' WHEN d.removed_at IS NULL THEN 'active' ELSE 'removed' END AS state,
             EXISTS (SELECT FROM envelope e WHERE e.device = u.id AND e.acked_day IS NULL) AS waiting
           FROM unnest($1::bytea[]) WITH ORDINALITY AS u(id, n) LEFT JOIN device d ON d.id = u.id ORDER BY u.n`,
    values: [idsArray(devices)],
  });
  return rows;
};

/** What a device signs in with. */
export const selectSigningKey = async (pool: pg.Pool, device: DeviceId) => {
  const { rows } = await pool.query<{ account: Buffer; signingKey: Buffer; removed: boolean }>({
    name: 'signing-key',
    text: `SELECT account, signing_key AS "signingKey", removed_at IS NOT NULL AS removed FROM device WHERE id = $1`,
    values: [Buffer.from(device, 'base64url')],
  });
  return rows[0];
};
