import { DeviceId, Handle, type AccountId } from '@sotto/contract/ids';
import { RelayError } from '@sotto/contract/errors';
import { formatLink } from '@sotto/contract/link';
import type { Config } from './config.ts';
import { acquireCluster, findCluster } from './postgres/launcher.ts';
import { assertMigrated } from './postgres/migrate.ts';
import { removeAccount, removeDevice } from './services/devices.ts';
import { Invites } from './services/invites.ts';
import { Origins } from './services/origins.ts';
import { openDatabase, type Database } from './store/database.ts';
import { idText } from './store/id-bytes.ts';

export const USAGE = `Usage: sotto invite                      prints a link that opens one registration
       sotto accounts list               handle, day of registration, number of devices
       sotto accounts remove <handle>    deletes an account with all that is waiting for it
       sotto devices remove <device id>`;

/** Beside a running relay where there is one, else with the embedded database started for the moment. */
const withDatabase = async <T>(config: Config, work: (database: Database) => Promise<T>): Promise<T> => {
  const running = config.databaseUrl
    ? { connectionString: config.databaseUrl }
    : findCluster(config.dataFolder);
  const cluster = running ? undefined : await acquireCluster(config.dataFolder, () => undefined);
  const database = openDatabase(running ?? cluster!.connection);
  try {
    await assertMigrated(database.pool, config.migrationsFolder);
    return await work(database);
  } finally {
    await database.close();
    await cluster?.stop();
  }
};

const invite = async (config: Config): Promise<string> => {
  const { invite: lifetime } = config.lifetimes;
  const secret = await withDatabase(config, ({ prisma }) =>
    new Invites(prisma, { lifetime, now: config.now }).make(),
  );
  return formatLink(new Origins(config.publicUrl, config.port).main, { invite: secret });
};

const listAccounts = async ({ prisma }: Database): Promise<string> => {
  const rows = await prisma.account.findMany({
    orderBy: { handle: 'asc' },
    include: { _count: { select: { devices: { where: { removedAt: null } } } } },
  });
  const lines = rows.map(
    ({ handle, createdAt, _count: { devices } }) =>
      `${handle.padEnd(24)}  ${createdAt.toISOString().slice(0, 10)}  ${devices}`,
  );
  return lines.join('\n') || 'There are no accounts.';
};

/** What to print instead of an error of this code. */
const unless = async (code: string, text: string, work: Promise<void>): Promise<string> => {
  try {
    await work;
    return 'Removed.';
  } catch (error) {
    if (error instanceof RelayError && error.code === code) return text;
    throw error;
  }
};

const dropAccount = async ({ prisma }: Database, handle: Handle): Promise<string> => {
  const none = 'There is no such account.';
  const row = await prisma.account.findUnique({ where: { handle } });
  return row ? unless('account-unknown', none, removeAccount(prisma, idText<AccountId>(row.id))) : none;
};

/** Runs a command of the host's and returns what to print; undefined when there is no such command. */
export const runCommand = async (args: string[], config: Config): Promise<string | undefined> => {
  const [noun, verb, name, ...rest] = args;
  if (rest.length > 0) return undefined;
  const command = [noun, verb].filter(Boolean).join(' ');
  if (command === 'invite' && name === undefined) return invite(config);
  if (command === 'accounts list' && name === undefined) return withDatabase(config, listAccounts);
  const handle = Handle.safeParse(name);
  if (command === 'accounts remove' && handle.success) {
    return withDatabase(config, (database) => dropAccount(database, handle.data));
  }
  const device = DeviceId.safeParse(name);
  if (command === 'devices remove' && device.success) {
    return withDatabase(config, ({ prisma }) =>
      unless(
        'device-unknown',
        'There is no such device.',
        removeDevice(prisma, device.data, { account: undefined, now: config.now() }),
      ),
    );
  }
  return undefined;
};
