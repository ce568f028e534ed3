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

const COLUMNS = 'id, created_at, expires_at, public_key, signature';

const toPrekey = (row: Row | undefined): EcPrekey | undefined =>
  row && {
    id: Number(row.id),
    createdAt: Number(row.created_at),
    expiresAt: Number(row.expires_at),
    publicKey: idText(row.public_key),
    signature: idText(row.signature),
  };

/** The newest of a kind that is not used up. */
export const selectPrekey = async (
  pool: pg.Pool,
  device: DeviceId,
  kind: PrekeyKind,
): Promise<EcPrekey | undefined> => {
  const { rows } = await pool.query<Row>({
    name: 'select-prekey',
    text: `SELECT ${COLUMNS} FROM prekey WHERE device = $1 AND kind = $2 ORDER BY created_at DESC LIMIT 1`,
    values: [idBytes(device), PREKEY_KINDS[kind]],
  });
  return toPrekey(rows[0]);
};

/** Takes a one-time prekey out, for one asker alone; those that somebody else is just taking are passed over. */
export const issuePrekey = async (
  pool: pg.Pool,
  device: DeviceId,
  kind: PrekeyKind,
  now: number,
): Promise<EcPrekey | undefined> => {
  const { rows } = await pool.query<Row>({
    name: 'issue-prekey',
    text: `DELETE FROM prekey WHERE device = $1 AND kind = $2 AND id = (
             SELECT id FROM prekey WHERE device = $1 AND kind = $2 AND expires_at > $3
             ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING ${COLUMNS}`,
    values: [idBytes(device), PREKEY_KINDS[kind], now],
  });
  return toPrekey(rows[0]);
};

export const countPrekeys = async (pool: pg.Pool, device: DeviceId): Promise<PrekeysResponse> => {
  const { rows } = await pool.query<{ kind: number; count: string }>({
    name: 'count-prekeys',
    text: 'SELECT kind, count(*) AS count FROM prekey WHERE device = $1 GROUP BY kind',
    values: [idBytes(device)],
  });
  const count = (kind: PrekeyKind) => Number(rows.find((row) => row.kind === PREKEY_KINDS[kind])?.count ?? 0);
  return { oneTime: count('one-time'), pqOneTime: count('pq-one-time') };
};
