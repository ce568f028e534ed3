import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { beforeEach, describe, expect, it } from 'vitest';
import { eventually, temporaryFolder } from '../../test/harness.ts';
import { acquireCluster, findCluster } from './launcher.ts';
import { findPostmaster } from './postmaster.ts';

let data: string;
beforeEach(() => {
  const temporary = temporaryFolder();
  data = temporary.path;
  return temporary.remove;
});
const cluster = () => join(data, 'postgres', 'cluster');
const lost = (error: unknown): never => {
  throw error;
};
const ask = async <Row extends pg.QueryResultRow>(
  connection: pg.ClientConfig,
  sql: string,
): Promise<Row[]> => {
  const client = new pg.Client(connection);
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query<Row>(sql);
  await client.end();
  return rows;
};

describe('the embedded database', () => {
  it('is durable, private and quiet, and stops with its owner', async () => {
    const owner = await acquireCluster(data, lost);
    const [settings] = await ask<Record<string, string>>(
      owner.connection,
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
              current_setting('full_page_writes') AS pages, current_setting('listen_addresses') AS addresses,
              current_setting('unix_socket_directories') AS sockets, current_setting('data_checksums') AS checksums`,
    );
    expect(settings).toEqual({
      fsync: 'on',
      commit: 'on',
      pages: 'on',
      addresses: '127.0.0.1',
      sockets: '',
      checksums: 'on',
    });
    await expect(ask({ ...owner.connection, password: 'wrong' }, 'SELECT 1')).rejects.toMatchObject({
      code: '28P01',
    });
    await expect(ask(owner.connection, "SELECT 'hush-hush'::int")).rejects.toThrow();
    const password = join(data, 'postgres-password');
    expect(statSync(password).mode & 0o777).toBe(0o600);
    expect(statSync(cluster()).mode & 0o077).toBe(0);
    await owner.stop();
    expect(findPostmaster(cluster())).toBeUndefined();
    expect(readFileSync(join(data, 'postgres.log'), 'utf8')).not.toContain('hush-hush');
    // The password is in its own file and, as a verifier, in the cluster; nowhere else.
    const secret = readFileSync(password);
    const holders = readdirSync(data, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => readFileSync(path).includes(secret));
    expect(holders).toEqual([password]);
  });

  it('is refused to a second owner, who harms nothing', async () => {
    const owner = await acquireCluster(data, lost);
    await expect(acquireCluster(data, lost)).rejects.toMatchObject({ code: 'data-in-use' });
    expect(await ask(owner.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(findCluster(data)).toEqual(owner.connection);
    await owner.stop();
    expect(findCluster(data)).toBeUndefined();
  });

  it('has one owner when two start at once on an empty folder', async () => {
    const starts = await Promise.allSettled([acquireCluster(data, lost), acquireCluster(data, lost)]);
    const owners = starts.filter((start) => start.status === 'fulfilled');
    const refused = starts.find((start) => start.status === 'rejected');
    await Promise.all(owners.map(({ value }) => value.stop()));
    expect(owners).toHaveLength(1);
    expect(refused?.reason).toMatchObject({ code: 'data-in-use' });
  });

  it('F3: comes back by itself on the same port after it was killed, with what it had committed', async () => {
    const owner = await acquireCluster(data, lost);
    await ask(owner.connection, 'CREATE TABLE kept AS SELECT 42 AS value');
    const before = findPostmaster(cluster())!.pid;
    process.kill(before, 'SIGKILL');
    await eventually(async () =>
      expect(await ask(owner.connection, 'SELECT value FROM kept')).toEqual([{ value: 42 }]),
    );
    expect(findPostmaster(cluster())!.pid).not.toBe(before);
    await eventually(async () => {
      const sessions = await ask(
        owner.connection,
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'sotto-owner'",
      );
      expect(sessions).toHaveLength(1);
    });
    await owner.stop();
    expect(findPostmaster(cluster())).toBeUndefined();
  });

  it('starts over an initdb that was cut short and a pid file that is nobody’s', async () => {
    mkdirSync(join(data, 'postgres', 'draft-old'), { recursive: true });
    writeFileSync(join(data, 'postgres', 'draft-old', 'PG_VERSION'), '18\n');
    const owner = await acquireCluster(data, lost);
    expect(existsSync(join(data, 'postgres', 'draft-old'))).toBe(false);
    await owner.stop();
    // This process is alive, and no PostgreSQL.
    writeFileSync(
      join(cluster(), 'postmaster.pid'),
      `${process.pid}\n${cluster()}\n1\n5432\n\n127.0.0.1\n\nready\n`,
    );
    const again = await acquireCluster(data, lost);
    expect(await ask(again.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await again.stop();
  });

  it('says what is wrong with a cluster of another version and with a lost password', async () => {
    mkdirSync(cluster(), { recursive: true });
    writeFileSync(join(cluster(), 'PG_VERSION'), '17\n');
    await expect(acquireCluster(data, lost)).rejects.toThrow('postgres-password is missing');
    writeFileSync(join(data, 'postgres-password'), 'x');
    await expect(acquireCluster(data, lost)).rejects.toThrow('was made by PostgreSQL 17; this is 18.');
  });
});
