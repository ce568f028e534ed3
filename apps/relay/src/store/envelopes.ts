import type { IncomingEnvelope, OutgoingEnvelope } from '@sotto/contract/envelope';
import type { DeviceId, EnvelopeId } from '@sotto/contract/ids';
import type pg from 'pg';
import { dayOf } from './days.ts';
import { idBytes, idText } from './id-bytes.ts';

/** Which of these devices exist and were not removed. */
export const selectActiveDevices = async (
  pool: pg.Pool,
  devices: Iterable<DeviceId>,
): Promise<Set<DeviceId>> => {
  const { rows } = await pool.query<{ id: Buffer }>({
    name: 'active-devices',
    text: 'SELECT id FROM device WHERE id = ANY($1) AND removed_at IS NULL',
    values: [[...devices].map(idBytes)],
  });
  return new Set(rows.map((row) => idText<DeviceId>(row.id)));
};

/** One text for an envelope of a device; ids have fixed lengths. */
export const envelopeKey = (envelope: { device: DeviceId; id: EnvelopeId }): string =>
  envelope.device + envelope.id;

/** One statement, one COMMIT. Returns the keys of the rows that are new; an id that the device had is left alone. */
export const insertEnvelopes = async (
  pool: pg.Pool,
  envelopes: OutgoingEnvelope[],
  at: number,
): Promise<Set<string>> => {
  const values: unknown[] = [at];
  // VALUES, not unnest: arrays of bytea travel as text. Rows take their sequence in this order.
  const tuples = envelopes.map(({ device, id, body }) => {
    const n = values.push(idBytes(device), idBytes(id), body);
    return `($${n - 2}::bytea, $${n - 1}::bytea, $1::bigint, $${n}::bytea)`;
  });
  const { rows } = await pool.query<{ device: Buffer; id: Buffer }>(
    `INSERT INTO envelope (device, id, at, body) VALUES ${tuples.join(', ')}
     ON CONFLICT DO NOTHING RETURNING device, id`,
    values,
  );
  return new Set(rows.map((row) => envelopeKey({ device: idText(row.device), id: idText(row.id) })));
};

/** When envelopes were accepted, by key; also those that were acknowledged since. */
export const selectTimes = async (
  pool: pg.Pool,
  envelopes: { device: DeviceId; id: EnvelopeId }[],
): Promise<Map<string, number>> => {
  const { rows } = await pool.query<{ device: Buffer; id: Buffer; at: string }>(
    'SELECT device, id, at FROM envelope WHERE (device, id) IN (SELECT * FROM unnest($1::bytea[], $2::bytea[]))',
    [envelopes.map(({ device }) => idBytes(device)), envelopes.map(({ id }) => idBytes(id))],
  );
  return new Map(
    rows.map((row) => [envelopeKey({ device: idText(row.device), id: idText(row.id) }), Number(row.at)]),
  );
};

/** The first `limit` envelopes that wait for a device, in order of arrival, without those in `except`. */
export const selectWaiting = async (
  pool: pg.Pool,
  device: DeviceId,
  except: Iterable<EnvelopeId>,
  limit: number,
): Promise<IncomingEnvelope[]> => {
  const { rows } = await pool.query<{ id: Buffer; at: string; body: Buffer<ArrayBuffer> }>({
    name: 'waiting',
    text: `SELECT id, at, body FROM envelope
           WHERE device = $1 AND body IS NOT NULL AND id <> ALL($2)
           ORDER BY seq LIMIT $3`,
    values: [idBytes(device), [...except].map(idBytes), limit],
  });
  return rows.map((row) => ({ id: idText<EnvelopeId>(row.id), at: Number(row.at), body: row.body }));
};

/** The newest time of any envelope that is kept; 0 when there is none. */
export const selectLastTime = async (pool: pg.Pool): Promise<number> => {
  const { rows } = await pool.query<{ at: string }>('SELECT coalesce(max(at), 0) AS at FROM envelope');
  return Number(rows[0]!.at);
};

/**
 * Drops the bodies of a device's envelopes; the rows stay, so that a late retry is recognised. Of the time, only the
 * day is kept: a receipt follows an ack within moments, and both together would tell who writes to whom.
 */
export const clearBodies = async (
  pool: pg.Pool,
  device: DeviceId,
  ids: EnvelopeId[],
  at: number,
): Promise<void> => {
  await pool.query({
    name: 'clear-bodies',
    text: `UPDATE envelope SET body = NULL, acked_day = $3
           WHERE device = $1 AND id = ANY($2) AND body IS NOT NULL`,
    values: [idBytes(device), ids.map(idBytes), dayOf(at)],
  });
};
