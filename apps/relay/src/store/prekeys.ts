import type { DeviceId } from '@sotto/contract/ids';
import type { EcPrekey } from '@sotto/contract/keys';
import type { PrekeysResponse } from '@sotto/contract/rest/prekeys';
import { PREKEY_KINDS, type PrekeyKind } from '@sotto/crypto/prekeys';
import type pg from 'pg';
import { idBytes, idText } from './id-bytes.ts';

interface Row {
  id: string;
  created_at: string;
  expires_at: string;
  public_key: Buffer;
  signature: Buffer;
}

const toPrekey = (row: Row | undefined): EcPrekey | undefined =>
  row && {
    id: Number(row.id),
    createdAt: Number(row.created_at),
    expiresAt: Number(row.expires_at),
    publicKey: idText(row.public_key),
    signature: idText(row.signature),
  };

/** The signed prekey or the last resort. */
export const selectPrekey = async (
  pool: pg.Pool,
  device: DeviceId,
  kind: PrekeyKind,
): Promise<EcPrekey | undefined> => {
  const { rows } = await pool.query<Row>({
    name: 'select-prekey',
    text: `SELECT id, created_at, expires_at, public_key, signature FROM prekey
           WHERE device = $1 AND kind = $2 ORDER BY created_at DESC, id DESC LIMIT 1`,
    values: [idBytes(device), PREKEY_KINDS[kind]],
  });
  return toPrekey(rows[0]);
};

/**
 * Gives a one-time prekey to one asker alone; those that somebody else is just taking are passed over. Its row stays
 * without the key, so that a late repetition of its publication does not bring it back.
 */
export const issuePrekey = async (
  pool: pg.Pool,
  device: DeviceId,
  kind: PrekeyKind,
  now: number,
): Promise<EcPrekey | undefined> => {
  const { rows } = await pool.query<Row>({
    name: 'issue-prekey',
    // Materialised: joined in, the choice would be made anew for every row, and take more than one.
    text: `WITH taken AS MATERIALIZED (
             SELECT id, created_at, expires_at, public_key, signature FROM prekey
             WHERE device = $1 AND kind = $2 AND expires_at > $3 AND public_key <> ''
             ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
           UPDATE prekey SET public_key = '', signature = '' FROM taken
           WHERE prekey.device = $1 AND prekey.kind = $2 AND prekey.id = taken.id
           RETURNING taken.id, taken.created_at, taken.expires_at, taken.public_key, taken.signature`,
    values: [idBytes(device), PREKEY_KINDS[kind], now],
  });
  return toPrekey(rows[0]);
};

/** Those that can still be given out. */
export const countPrekeys = async (
  pool: pg.Pool,
  device: DeviceId,
  now: number,
): Promise<PrekeysResponse> => {
  const { rows } = await pool.query<{ kind: number; count: string }>({
    name: 'count-prekeys',
    text: `SELECT kind, count(*) AS count FROM prekey
           WHERE device = $1 AND expires_at > $2 AND public_key <> '' GROUP BY kind`,
    values: [idBytes(device), now],
  });
  const count = (kind: PrekeyKind) => Number(rows.find((row) => row.kind === PREKEY_KINDS[kind])?.count ?? 0);
  return { oneTime: count('one-time'), pqOneTime: count('pq-one-time') };
};
