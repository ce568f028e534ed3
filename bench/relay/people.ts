import { createHash, generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto';
import type pg from 'pg';

/** Somebody with one device. Ids as they go over the wire. */
export interface Person {
  account: string;
  device: string;
  /** What lets into the inbox. */
  token: string;
  privateKey: JsonWebKey;
  /** 65 bytes, base64. */
  publicKey: string;
}

export const CHANNEL = Buffer.from('a channel of 100').toString('base64url');

const hash = (data: Buffer): Buffer => createHash('sha256').update(data).digest();
const bytes = (id: string): Buffer => Buffer.from(id, 'base64url');

export const makePeople = (count: number): Person[] => {
  // All made before the first is exported: Node 20 waits for itself when it collects one half of a pair while it exports the other.
  const pairs = Array.from({ length: count }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  return pairs.map(({ privateKey, publicKey }) => {
    const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
    return {
      account: randomBytes(32).toString('base64url'),
      device: hash(point).subarray(0, 16).toString('base64url'),
      token: randomBytes(16).toString('base64url'),
      privateKey: privateKey.export({ format: 'jwk' }),
      publicKey: point.toString('base64'),
    };
  });
};

/** As if they had registered, and a channel of some of them. */
export const settle = async (
  pool: pg.Pool,
  people: readonly Person[],
  members: readonly Person[],
): Promise<void> => {
  const accounts = people.map(({ account }) => bytes(account));
  await pool.query(
    `INSERT INTO account (id, handle, skeleton, head, delivery, created_at)
     SELECT id, 'person_' || n, 'person' || n, id, delivery, now()
     FROM unnest($1::bytea[], $2::bytea[]) WITH ORDINALITY AS u (id, delivery, n)`,
    [accounts, people.map(({ token }) => hash(bytes(token)))],
  );
  await pool.query(
    `INSERT INTO device (id, account, signing_key, created_at)
     SELECT id, account, key, now() FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS u (id, account, key)`,
    [
      people.map(({ device }) => bytes(device)),
      accounts,
      people.map(({ publicKey }) => Buffer.from(publicKey, 'base64')),
    ],
  );
  await pool.query('INSERT INTO channel (id, epoch) VALUES ($1, 0)', [bytes(CHANNEL)]);
  await pool.query(
    'INSERT INTO channel_member (channel, account, admin, joined) SELECT $1, account, true, true FROM unnest($2::bytea[]) AS u (account)',
    [bytes(CHANNEL), members.map(({ account }) => bytes(account))],
  );
  // Cleared by hand between measurements, so that it does not fall into one.
  await pool.query('ALTER TABLE envelope SET (autovacuum_enabled = false)');
  await pool.query('ALTER TABLE post SET (autovacuum_enabled = false)');
};

/** Leaves nothing behind that the next measurement would pay for. */
export const tidy = async (pool: pg.Pool): Promise<void> => {
  await pool.query('VACUUM (ANALYZE) envelope, post, device, account, channel_member');
  await pool.query('CHECKPOINT');
};

/** Messages of 1 KB that wait for a device. */
export const fill = async (pool: pg.Pool, { device }: Person, count: number): Promise<void> => {
  await pool.query(
    `INSERT INTO envelope (device, id, at, body)
     SELECT $1, id, $2, body FROM unnest($3::bytea[], $4::bytea[]) AS u (id, body)`,
    [
      bytes(device),
      Date.now(),
      Array.from({ length: count }, () => randomBytes(16)),
      Array.from({ length: count }, () => randomBytes(1024)),
    ],
  );
};
