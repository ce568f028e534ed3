import type { DeviceId } from '@sotto/contract/ids';
import type pg from 'pg';
import { idBytes, idText } from './id-bytes.ts';

/** What waits for a device: how much, and the bytes of its envelopes without those of posts, which are stored once. */
export interface Load {
  rows: number;
  bytes: number;
}

interface Row {
  rows: string;
  bytes: string;
}

const loadOf = ({ rows, bytes }: Row): Load => ({ rows: Number(rows), bytes: Number(bytes) });

/** Those with as much as `least` or more, of rows or of bytes. Reads all that waits for anybody. */
export const selectLoads = async (pool: pg.Pool, least: Load): Promise<Map<DeviceId, Load>> => {
  const { rows } = await pool.query<Row & { device: Buffer }>(
    `SELECT device, count(*) AS rows, coalesce(sum(octet_length(body)), 0) AS bytes
     FROM envelope WHERE acked_day IS NULL GROUP BY device
     HAVING count(*) >= $1 OR sum(octet_length(body)) >= $2`,
    [least.rows, least.bytes],
  );
  return new Map(rows.map((row) => [idText<DeviceId>(row.device), loadOf(row)]));
};

/** Of one device; more than `most` rows are not looked at. */
export const selectLoad = async (pool: pg.Pool, device: DeviceId, most: number): Promise<Load> => {
  const { rows } = await pool.query<Row>({
    name: 'load',
    text: `SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes FROM (
             SELECT octet_length(body) AS bytes FROM envelope
             WHERE device = $1 AND acked_day IS NULL ORDER BY seq LIMIT $2
           ) AS waiting`,
    values: [idBytes(device), most],
  });
  return loadOf(rows[0]!);
};
