import { DeviceId } from '@sotto/contract/ids';
import { RelayError } from '@sotto/contract/errors';
import { formatLink } from '@sotto/contract/link';
import type { Config } from './config.ts';
import { acquireCluster, findCluster } from './postgres/launcher.ts';
import { migrate } from './postgres/migrate.ts';
import { removeDevice } from './services/devices.ts';
import { inviteId, Invites, newInviteSecret } from './services/invites.ts';
import { Origins } from './services/origins.ts';
import { openDatabase, type Database } from './store/database.ts';

export const USAGE = 'Usage: sotto invite | sotto devices remove <device id>';

/** Beside a running relay where there is one, else with the embedded database started for the moment. */
const withDatabase = async <T>(config: Config, work: (database: Database) => Promise<T>): Promise<T> => {
  const running = config.databaseUrl
    ? { connectionString: config.databaseUrl }
    : findCluster(config.dataFolder);
  const cluster = running ? undefined : await acquireCluster(config.dataFolder, () => undefined);
  const database = openDatabase(running ?? cluster!.connection);
  try {
    await migrate(database.pool, config.migrationsFolder);
    return await work(database);
  } finally {
    await database.close();
    await cluster?.stop();
  }
};

/** Runs a command of the host's and returns what to print; undefined when there is no such command. */
export const runCommand = async (args: string[], config: Config): Promise<string | undefined> => {
  const [noun, verb, id, ...rest] = args;
  if (noun === 'invite' && verb === undefined) {
    const secret = newInviteSecret();
    const { invite: lifetime } = config.lifetimes;
    await withDatabase(config, ({ prisma }) =>
      new Invites(prisma, { lifetime, now: config.now }).create(inviteId(secret)),
    );
    return formatLink(new Origins(config.publicUrl, config.port).main, { invite: secret });
  }
  const device = DeviceId.safeParse(id);
  if (noun === 'devices' && verb === 'remove' && device.success && rest.length === 0) {
    return withDatabase(config, async ({ prisma }) => {
      try {
        await removeDevice(prisma, device.data, { account: undefined, now: config.now() });
        return 'Removed.';
      } catch (error) {
        if (error instanceof RelayError && error.code === 'device-unknown') return 'There is no such device.';
        throw error;
      }
    });
  }
  return undefined;
};
