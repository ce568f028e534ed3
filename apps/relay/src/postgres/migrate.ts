import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { StartError } from '../start-error.ts';

/** The lock that `prisma migrate deploy` takes, so that the two exclude each other. */
const PRISMA_LOCK = 72707369;

/** As `prisma migrate deploy` makes it. */
const TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

const readMigrations = (folder: string): Migration[] =>
  readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'migration.sql')))
    .sort()
    .map((name) => {
      const file = readFileSync(join(folder, name, 'migration.sql'));
      return { name, sql: file.toString(), checksum: createHash('sha256').update(file).digest('hex') };
    });

const pending = async (client: pg.ClientBase | pg.Pool, migrations: Migration[]): Promise<Migration[]> => {
  const { rows } = await client.query<{ name: string; checksum: string; finished: boolean }>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
     FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  );
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const { name, checksum, finished } of rows) {
    const migration = known.get(name);
    if (!migration) {
      throw new StartError(
        'database-newer',
        `The database is of a newer Sotto (it has the migration ${name}). Update this one.`,
      );
    }
    if (!finished) {
      throw new StartError(
        'migration-failed',
        `The migration ${name} failed halfway. Mend it with \`prisma migrate resolve\`.`,
      );
    }
    if (migration.checksum !== checksum) {
      throw new StartError('migration-edited', `The migration ${name} was edited after it had been applied.`);
    }
  }
  const applied = new Set(rows.map((row) => row.name));
  return migrations.filter((migration) => !applied.has(migration.name));
};

/**
 * Changes nothing: a relay of an older release may be running on it.
 * @throws StartError `database-older`, and as `migrate`
 */
export const assertMigrated = async (pool: pg.Pool, folder: string): Promise<void> => {
  const { rows } = await pool.query<{ found: boolean }>(
    "SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found",
  );
  if (rows[0]!.found && (await pending(pool, readMigrations(folder))).length === 0) return;
  throw new StartError(
    'database-older',
    'The database is not of this release yet. Start the relay once, then try again.',
  );
};

/**
 * Brings the database up to date, each migration in a transaction of its own, and keeps the books as
 * `prisma migrate deploy` does.
 * @throws StartError `migration-edited`, `migration-failed`, `database-newer`; nothing is changed then.
 */
export const migrate = async (pool: pg.Pool, folder: string): Promise<void> => {
  const client = await pool.connect();
  try {
    // A migration that somebody left open elsewhere ends this start instead of holding it.
    await client.query("SET lock_timeout = '60s'");
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK]);
    await client.query(TABLE);
    for (const { name, sql, checksum } of await pending(client, readMigrations(folder))) {
      await client.query('BEGIN');
      await client.query(sql);
      await client.query(
        `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
         VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
        [randomUUID(), checksum, name],
      );
      await client.query('COMMIT');
    }
    await client.query('SELECT pg_advisory_unlock($1)', [PRISMA_LOCK]);
    client.release();
  } catch (error) {
    // Closing the connection rolls back and lets go of the lock.
    client.release(true);
    throw error;
  }
};
