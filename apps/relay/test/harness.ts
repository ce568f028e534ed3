import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InviteSecret } from '@sotto/contract/ids';
import { parseLink } from '@sotto/contract/link';
import pg from 'pg';
import { afterAll, vi } from 'vitest';
import { readConfig, type Config } from '../src/config.ts';
import { acquireCluster, type Cluster } from '../src/postgres/launcher.ts';
import { createRelay, type Relay } from '../src/relay.ts';
import { UNLIMITED } from '../src/services/limits.ts';
import { openDatabase } from '../src/store/database.ts';

/** Waits until `check` no longer throws, with patience for a busy machine. */
export const eventually = <T>(check: () => T | Promise<T>, timeout = 15_000): Promise<T> =>
  vi.waitFor(check, { timeout, interval: 10 });

/** An empty folder that `remove` deletes. */
export const temporaryFolder = () => {
  const path = mkdtempSync(join(tmpdir(), 'sotto-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
};

/** One that no outgoing connection gets meanwhile: those take theirs from 32768 on. */
export const freePort = async (): Promise<number> => {
  const port = 10_000 + Math.floor(Math.random() * 20_000);
  const server = createServer().listen(port, '127.0.0.1');
  const isFree = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (!isFree) return freePort();
  await new Promise((closed) => server.close(closed));
  return port;
};

/** One PostgreSQL for all relays of a test file, started when the first asks. */
let shared: Promise<Cluster> | undefined;
const sharedFolder = temporaryFolder();
afterAll(async () => {
  await (await shared)?.stop();
  sharedFolder.remove();
});
const sharedCluster = (): Promise<Cluster> =>
  (shared ??= acquireCluster(sharedFolder.path, (error) => {
    throw error;
  }));

/** An empty database on the shared server. */
export const temporaryDatabase = async () => {
  const { host, port, user, password, database } = (await sharedCluster()).connection;
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`;
  const urlOf = (of: string) => `postgresql://${user}:${password}@${host}:${port}/${of}`;
  const server = new pg.Client(urlOf(database));
  await server.connect();
  await server.query(`CREATE DATABASE ${name}`);
  await server.end();
  return { url: urlOf(name), ...openDatabase({ connectionString: urlOf(name), max: 2 }) };
};

export interface TestRelay {
  relay: Relay;
  /** Straight into its database. */
  pool: pg.Pool;
  dataFolder: string;
  /** The clock that the relay reads runs this many milliseconds ahead. */
  clock: { ahead: number };
  invite(): Promise<InviteSecret>;
  stop(): Promise<void>;
}

/** A relay in this process on a free port, with a database of its own. */
export const startRelay = async (overrides: Partial<Config> = {}): Promise<TestRelay> => {
  const folder = temporaryFolder();
  const database = await temporaryDatabase();
  const clock = { ahead: 0 };
  const relay = await createRelay({
    ...readConfig({ SOTTO_DATA: folder.path, PORT: '0', LOG_LEVEL: 'silent' }),
    databaseUrl: database.url,
    now: () => Date.now() + clock.ahead,
    limits: UNLIMITED,
    ...overrides,
  });
  return {
    relay,
    pool: database.pool,
    dataFolder: folder.path,
    clock,
    invite: async () => parseLink(await relay.createInvite())!.invite!,
    stop: async () => {
      await relay.close();
      await database.close();
      folder.remove();
    },
  };
};
