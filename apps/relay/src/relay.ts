import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { RelayError, STATUS } from '@sotto/contract/errors';
import type { InviteSecret } from '@sotto/contract/ids';
import { formatLink } from '@sotto/contract/link';
import pg from 'pg';
import { createServices } from './compose.ts';
import type { Config } from './config.ts';
import { addressReader } from './http/address.ts';
import { createApp } from './http/app.ts';
import { sessionFirst } from './http/session.ts';
import { createLog, type Logger } from './log.ts';
import { Metrics } from './metrics.ts';
import { acquireCluster, type Cluster } from './postgres/launcher.ts';
import { migrate } from './postgres/migrate.ts';
import { listenForRemovals } from './realtime/removals.ts';
import { openRedis } from './redis.ts';
import { Origins } from './services/origins.ts';
import { startSweeping } from './services/sweep.ts';
import { StartError } from './start-error.ts';
import { selectLastTime } from './store/envelopes.ts';
import { openDatabase } from './store/database.ts';

const DRAIN_MS = 5_000;
/** Open files kept for the database, Redis and the app's files. */
const RESERVED_FILES = 64;

export interface Relay {
  /** The origin under which people reach it. */
  readonly url: string;
  readonly port: number;
  /** A link that opens one registration. */
  createInvite(): Promise<string>;
  /** The link for the first person; undefined once there is an account. */
  firstInvite(): Promise<string | undefined>;
  /** Ends connections, lets what is being stored finish, stops the embedded database. */
  close(): Promise<void>;
}

const startListening = (server: Server, { port, host }: Config): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const message =
        error.code === 'EADDRINUSE'
          ? `Port ${port} is in use. Set PORT to another one.`
          : `Cannot listen on ${host}, port ${port} (${error.code}). Set HOST or PORT.`;
      reject(new StartError(error.code === 'EADDRINUSE' ? 'port-in-use' : 'config-invalid', message));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });

const notReady: RequestListener = (_request, response) => {
  response.writeHead(STATUS.busy, { 'content-type': 'application/json', 'retry-after': '1' });
  response.end(JSON.stringify({ code: 'busy' }));
};

const openStore = async (config: Config, log: Logger, onLost: (error: unknown) => void) => {
  mkdirSync(config.dataFolder, { recursive: true });
  const cluster: Cluster | undefined = config.databaseUrl
    ? undefined
    : await acquireCluster(config.dataFolder, (error) => {
        log.fatal({ error }, 'the database is gone');
        onLost(error);
      });
  const connection: pg.PoolConfig = cluster?.connection ?? { connectionString: config.databaseUrl! };
  const database = openDatabase(connection);
  const close = async (): Promise<void> => {
    await database.close();
    await cluster?.stop();
  };
  // A migration may take longer than any query of the pool may.
  const once = new pg.Pool({ ...connection, max: 1, keepAlive: true });
  once.on('error', () => undefined);
  try {
    const last = await migrate(once, config.migrationsFolder)
      .then(() => selectLastTime(once, config.now()))
      .finally(() => once.end());
    return { connection, database, last, close };
  } catch (error) {
    await close();
    if (error instanceof StartError) throw error;
    const { code } = error as { code?: string };
    throw new StartError(
      'database-failed',
      `The database cannot be used (${code ?? 'no answer'}). ${config.databaseUrl ? 'Check DATABASE_URL.' : 'See postgres.log in the data folder.'}`,
      { cause: error },
    );
  }
};

/** How many files this process may have open; undefined where the system does not say. */
const openFiles = (): number | undefined => {
  try {
    return (
      Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]) || undefined
    );
  } catch {
    return undefined;
  }
};

/**
 * Starts a relay: listens, brings the database up, serves. `onLost` hears of a failure that it cannot live with.
 * @throws StartError
 */
export const createRelay = async (
  config: Config,
  onLost: (error: unknown) => void = () => undefined,
): Promise<Relay> => {
  const log = createLog(config.logLevel);
  const { trustProxy } = config;
  const behindProxy = typeof trustProxy === 'number' || trustProxy.length > 0;
  let handle = notReady;
  const server = createServer(
    {
      requestTimeout: 30_000,
      headersTimeout: 10_000,
      // Longer than a proxy keeps a connection that is idle: closed by the relay, it could be in use again by then.
      keepAliveTimeout: behindProxy ? 125_000 : 30_000,
      connectionsCheckingInterval: 5_000,
    },
    (request, response) => handle(request, response),
  );
  // Past it a connection is closed as it comes; without, the files for the database would run out.
  const files = openFiles();
  if (files !== undefined) server.maxConnections = Math.max(files - RESERVED_FILES, 1);
  // First, so that a second start on this port fails before it touches anything.
  const port = await startListening(server, config);
  const store = await openStore(config, log, onLost).catch((error: unknown) => {
    server.close();
    throw error;
  });

  const { database, last } = store;
  const { pool } = database;
  const origins = new Origins(config.publicUrl, port);
  const metrics = new Metrics();
  const redis = config.redisUrl === undefined ? undefined : openRedis(config.redisUrl, log);
  const services = createServices({ database, last, config, origins, redis, metrics, log });
  const { accounts, emails, first, invites, limits, mailbox } = services;
  const linkTo = (invite: InviteSecret): string => formatLink(origins.main, { invite });

  let draining = false;
  let told = false;
  const addressOf = addressReader(trustProxy, () => {
    if (told) return;
    told = true;
    log.warn('a proxy is in front and not trusted, so that everybody counts as one address: see TRUST_PROXY');
  });
  const gateway = services.openGateway(server, (request) => {
    if (draining) return 'busy';
    try {
      limits.takeAddress('connect', addressOf(request));
      return undefined;
    } catch {
      return 'too-many-requests';
    }
  });
  metrics.gauge('connections', 'Devices that are connected.', () => gateway.connected().length);
  metrics.gauge('queue', 'Envelopes, posts and acks that wait to be stored.', () => mailbox.queued);
  if (config.metricsToken !== undefined) metrics.watchProcess();
  const removals = listenForRemovals(store.connection, {
    removed: (device) => gateway.disconnect(device, 'device-removed'),
    ...(redis && { apart: () => gateway.look() }),
    caughtUp: () => gateway.check(),
  });
  const sweeping = startSweeping(store.connection, { now: config.now, retention: config.retentionMs, log });

  const app = createApp({
    services,
    origins,
    addressOf,
    checkReady: async () => {
      if (draining) throw new RelayError('busy');
      await pool.query('SELECT 1');
    },
    metrics,
    log,
  });
  handle = sessionFirst(app, services, { origins, addressOf, metrics, log });

  let closing: Promise<void> | undefined;
  return {
    url: origins.main,
    port,
    createInvite: async () => linkTo(await invites.make()),
    firstInvite: async () => {
      if ((await accounts.count()) === 0) return linkTo(await first.open());
      await first.forget();
      return undefined;
    },
    close: () => {
      closing ??= (async () => {
        draining = true;
        const drained = new AbortController();
        const late = sleep(DRAIN_MS, undefined, { signal: drained.signal }).catch(() => undefined);
        await Promise.race([mailbox.drain(), late]);
        const cut = late.then(() => server.closeAllConnections());
        await gateway.close();
        drained.abort();
        await cut;
        limits.close();
        redis?.close();
        await emails?.close();
        await Promise.all([removals.close(), sweeping.close()]);
        await store.close();
      })();
      return closing;
    },
  };
};
