import type { DeviceId } from '@sotto/contract/ids';
import type pg from 'pg';
import { idsArray } from './arrays.ts';

/** How a device stands with the relay, and whether something waits for it. */
export interface Standing {
  /** Null where there is no such device. */
  account: Buffer | null;
  removed: boolean;
  waiting: boolean;
}

/** In the order of the devices. */
export const selectStandings = async (pool: pg.Pool, devices: readonly DeviceId[]): Promise<Standing[]> => {
  const { rows } = await pool.query<Standing>({
    name: 'standings',
    text: `SELECT d.account, d.removed_at IS NOT NULL AS removed,
             EXISTS (SELECT FROM envelope e WHERE e.device = u.id AND e.acked_day IS NULL) AS waiting
           FROM unnest($1::bytea[]) WITH ORDINALITY AS u(id, n) LEFT JOIN device d ON d.id = u.id ORDER BY u.n`,
    values: [idsArray(devices)],
  });
  return rows;
};

/** What a device signs in with. */
export interface SigningKey {
  account: Buffer;
  /** 65 bytes. */
  signingKey: Buffer;
  removed: boolean;
}

/** In the order of the devices; undefined where there is none. */
export const selectSigningKeys = async (
  pool: pg.Pool,
  devices: readonly DeviceId[],
): Promise<(SigningKey | undefined)[]> => {
  const { rows } = await pool.query<SigningKey & { n: string }>({
    name: 'signing-keys',
    text: `SELECT u.n, d.account, d.signing_key AS "signingKey", d.removed_at IS NOT NULL AS removed
           FROM unnest($1::bytea[]) WITH ORDINALITY AS u(id, n) JOIN device d ON d.id = u.id`,
    values: [idsArray(devices)],
  });
  const found: (SigningKey | undefined)[] = devices.map(() => undefined);
  for (const { n, ...key } of rows) found[Number(n) - 1] = key;
  return found;
};
