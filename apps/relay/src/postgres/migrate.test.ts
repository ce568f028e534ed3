import { appendFileSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryDatabase, temporaryFolder } from '../../test/harness.ts';
import { readConfig } from '../config.ts';
import { assertMigrated, migrate } from './migrate.ts';

/** Those of this release, in order. */
const SHIPPED = readdirSync(readConfig({}).migrationsFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted();
const FIRST = SHIPPED[0]!;
let folder: string;
let database: Awaited<ReturnType<typeof temporaryDatabase>>;
beforeEach(async () => {
  const temporary = temporaryFolder();
  folder = temporary.path;
  cpSync(readConfig({}).migrationsFolder, folder, { recursive: true });
  database = await temporaryDatabase();
  return async () => {
    await database.close();
    temporary.remove();
  };
});
const add = (name: string, sql: string) => {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'migration.sql'), sql);
};
const books = async () =>
  (await database.pool.query('SELECT * FROM _prisma_migrations ORDER BY migration_name')).rows as Record<
    string,
    unknown
  >[];

describe('migrations', () => {
  it('are applied once, also by several relays at once, and written down as Prisma does', async () => {
    await Promise.all([migrate(database.pool, folder), migrate(database.pool, folder)]);
    await migrate(database.pool, folder);
    const rows = await books();
    expect(rows).toHaveLength(SHIPPED.length);
    expect(rows[0]).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      migration_name: FIRST,
      logs: null,
      rolled_back_at: null,
      applied_steps_count: 1,
      finished_at: expect.any(Date),
    });
  });

  it('go on from where they were', async () => {
    await migrate(database.pool, folder);
    add('20990101000000_second', 'CREATE TABLE second (id INT); INSERT INTO second VALUES (1);');
    await migrate(database.pool, folder);
    expect((await database.pool.query('SELECT id FROM second')).rows).toEqual([{ id: 1 }]);
    expect((await books()).map((row) => row['migration_name'])).toEqual([
      ...SHIPPED,
      '20990101000000_second',
    ]);
  });

  it('are refused when one was edited afterwards, by a single byte', async () => {
    await migrate(database.pool, folder);
    appendFileSync(join(folder, FIRST, 'migration.sql'), '\n');
    add('20990101000000_second', 'CREATE TABLE second (id INT)');
    await expect(migrate(database.pool, folder)).rejects.toMatchObject({ code: 'migration-edited' });
    expect(await books()).toHaveLength(SHIPPED.length);
  });

  it('are refused for a database of a newer release', async () => {
    add('20990101000000_second', 'SELECT 1');
    await migrate(database.pool, folder);
    const { migrationsFolder } = readConfig({});
    await expect(migrate(database.pool, migrationsFolder)).rejects.toMatchObject({ code: 'database-newer' });
  });

  it('leave nothing of one that fails, and say so when Prisma left a half', async () => {
    add('20990101000000_second', 'CREATE TABLE second (id INT); SELECT 1 / 0;');
    await expect(migrate(database.pool, folder)).rejects.toThrow('division by zero');
    expect(await books()).toHaveLength(SHIPPED.length);
    expect((await database.pool.query("SELECT to_regclass('second') AS found")).rows).toEqual([
      { found: null },
    ]);
    await database.pool.query('UPDATE _prisma_migrations SET finished_at = NULL');
    await expect(migrate(database.pool, folder)).rejects.toMatchObject({ code: 'migration-failed' });
  });

  it('are missed, and not made up for, by what only needs them', async () => {
    const asked = () => assertMigrated(database.pool, folder);
    await expect(asked()).rejects.toMatchObject({ code: 'database-older' });
    expect((await database.pool.query("SELECT to_regclass('_prisma_migrations') AS found")).rows).toEqual([
      { found: null },
    ]);
    await migrate(database.pool, folder);
    await asked();
    add('20990101000000_second', 'CREATE TABLE second (id INT)');
    await expect(asked()).rejects.toMatchObject({ code: 'database-older' });
    expect(await books()).toHaveLength(SHIPPED.length);
    await migrate(database.pool, folder);
    await expect(assertMigrated(database.pool, readConfig({}).migrationsFolder)).rejects.toMatchObject({
      code: 'database-newer',
    });
  });
});
