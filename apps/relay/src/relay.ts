import { mkdirSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { STATUS } from '@sotto/contract/errors';
import type { InviteSecret } from '@sotto/contract/ids';
import { formatLink } from '@sotto/contract/link';
import pg from 'pg';
import type { Config } from './config.ts';
import { FirstInvite } from './first-invite.ts';
import { accountRoutes } from './http/accounts.ts';
import { createApp } from './http/app.ts';
import { deviceRoutes } from './http/devices.ts';
import { inviteRoutes } from './http/invites.ts';
import { prekeyRoutes } from './http/prekeys.ts';
import { sessionRoutes } from './http/session.ts';
import { createLog, type Logger } from './log.ts';
import { acquireCluster, type Cluster } from './postgres/launcher.ts';
import { migrate } from './postgres/migrate.ts';
import { openGateway } from './realtime/gateway.ts';
import { listenForRemovals } from './realtime/removals.ts';
import { Accounts } from './services/accounts.ts';
import { removeDevice } from './services/devices.ts';
import { localDoorbell } from './services/doorbell.ts';
import { inviteId, Invites, newInviteSecret } from './services/invites.ts';
import { Mailbox } from './services/mailbox.ts';
import { Origins } from './services/origins.ts';
import { Prekeys } from './services/prekeys.ts';
import { SignIn } from './services/sign-in.ts';
import { sweep } from './services/sweep.ts';
import { Tokens } from './services/tokens.ts';
import { StartError } from './start-error.ts';
import { selectActiveDevices, selectLastTime } from './store/envelopes.ts';
import { openDatabase } from './store/database.ts';

const SWEEP_MS = 60 * 60 * 1000;
const DRAIN_MS = 5_000;

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
  const once = new pg.Pool({ ...connection, max: 1 });
  try {
    await migrate(once, config.migrationsFolder).finally(() => once.end());
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
  return { connection, database, last: await selectLastTime(database.pool), close };
};

type Store = Awaited<ReturnType<typeof openStore>>;

/** What the relay does, apart from how it is asked. */
const createServices = (
  { database: { pool, prisma }, last }: Store,
  { dataFolder, lifetimes, now }: Config,
  origins: Origins,
) => {
  const doorbell = localDoorbell();
  const invites = new Invites(prisma, { lifetime: lifetimes.invite, now });
  const tokens = new Tokens(prisma, { lifetimes, now });
  const first = new FirstInvite(dataFolder, invites);
  return {
    doorbell,
    invites,
    first,
    accounts: new Accounts(prisma, {
      invites,
      now,
      // Made good at the next start when it fails now.
      registered: () => first.forget().catch(() => undefined),
    }),
    prekeys: new Prekeys(prisma, pool, { now }),
    signIn: new SignIn(prisma, { tokens, origins }),
    mailbox: new Mailbox(pool, { doorbell, now, last }),
  };
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
  let handle = notReady;
  const server = createServer((request, response) => handle(request, response));
  server.requestTimeout = 30_000;
  // First, so that a second start on this port fails before it touches anything.
  const port = await startListening(server, config);
  const store = await openStore(config, log, onLost).catch((error: unknown) => {
    server.close();
    throw error;
  });

  const { pool, prisma } = store.database;
  const origins = new Origins(config.publicUrl, port);
  const { doorbell, invites, first, accounts, prekeys, signIn, mailbox } = createServices(
    store,
    config,
    origins,
  );
  const linkTo = (invite: InviteSecret): string => formatLink(origins.main, { invite });

  const gateway = openGateway(server, origins, { mailbox, doorbell, signIn, now: config.now, log });
  const removals = listenForRemovals(store.connection, {
    removed: (device) => gateway.disconnect(device, 'device-removed'),
    caughtUp: async () => {
      const connected = gateway.connected();
      const active = await selectActiveDevices(pool, connected);
      for (const device of connected) if (!active.has(device)) gateway.disconnect(device, 'device-removed');
    },
  });
  const clean = (): void => {
    sweep(pool, config.now()).catch((error: unknown) => log.warn({ error }, 'could not delete what is old'));
  };
  const sweeping = setInterval(clean, SWEEP_MS);
  clean();

  handle = createApp({
    origins,
    routes: [
      accountRoutes(accounts, signIn),
      sessionRoutes(signIn),
      inviteRoutes(invites, signIn),
      prekeyRoutes(prekeys, signIn),
      deviceRoutes(signIn, async (device, account) => {
        await removeDevice(prisma, device, { account, now: config.now() });
        gateway.disconnect(device, 'device-removed');
      }),
    ],
    checkReady: async () => void (await pool.query('SELECT 1')),
    webFolder: config.webFolder,
    log,
  });

  let closing: Promise<void> | undefined;
  return {
    url: origins.main,
    port,
    createInvite: async () => {
      const secret = newInviteSecret();
      await invites.create(inviteId(secret));
      return linkTo(secret);
    },
    firstInvite: async () => {
      if ((await accounts.count()) === 0) return linkTo(await first.open());
      await first.forget();
      return undefined;
    },
    close: () => {
      closing ??= (async () => {
        clearInterval(sweeping);
        const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
        await gateway.close();
        clearTimeout(cut);
        await removals.close();
        await store.close();
      })();
      return closing;
    },
  };
};
