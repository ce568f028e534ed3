import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../start-error.ts';
import { giveTo, spawnAs, type RunAs } from './run-as.ts';

export const USER = 'sotto';
const MAJOR = '18';

/** Where the database lives inside the data folder. */
export const databaseFolders = (dataFolder: string) => ({
  outer: join(dataFolder, 'postgres'),
  cluster: join(dataFolder, 'postgres', 'cluster'),
  password: join(dataFolder, 'postgres-password'),
  log: join(dataFolder, 'postgres.log'),
});
export type DatabaseFolders = ReturnType<typeof databaseFolders>;

/** The password of the embedded database: the same for all who ask, made once, readable to its owner alone. */
export const readPassword = (folders: DatabaseFolders): string => {
  if (!existsSync(folders.password)) {
    if (existsSync(folders.cluster)) {
      throw new StartError(
        'database-failed',
        `${folders.password} is missing; the database cannot be opened without it.`,
      );
    }
    const draft = `${folders.password}.${randomBytes(6).toString('hex')}`;
    writeFileSync(draft, randomBytes(24).toString('base64url'), { mode: 0o600, flush: true });
    try {
      // A link fails when another start was faster; a rename would overwrite its password.
      linkSync(draft, folders.password);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft);
    }
  }
  return readFileSync(folders.password, 'utf8').trim();
};

const runInitdb = (initdb: string, runAs: RunAs, folder: string, password: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const args = ['-D', folder, '-U', USER, '--auth=scram-sha-256', '--encoding=UTF8', '--no-instructions'];
    // Built in, so that sorting never depends on the machine's libraries.
    args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8');
    // Without a terminal the prompt reads from stdin: no file ever holds the password.
    const child = spawnAs(runAs, initdb, [...args, '--pwprompt'], ['pipe', 'ignore', 'pipe']);
    let complaint = '';
    child.stderr!.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    child.stdin!.on('error', () => undefined);
    child.stdin!.end(`${password}\n${password}\n`);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve();
      const line = /error: .*/.exec(complaint)?.[0] ?? `initdb ended with ${code}`;
      reject(new StartError('database-failed', `The database could not be created: ${line}`));
    });
  });

/**
 * Makes the cluster unless there is one. It appears under its name only when it is whole, so a kill at any
 * moment leaves either nothing or a cluster.
 */
export const initialise = async (
  initdb: string,
  runAs: RunAs,
  folders: DatabaseFolders,
  password: string,
): Promise<void> => {
  if (!existsSync(folders.cluster)) {
    const draft = join(folders.outer, `draft-${randomBytes(6).toString('hex')}`);
    mkdirSync(draft, { mode: 0o700 });
    giveTo(runAs, draft);
    try {
      await runInitdb(initdb, runAs, draft, password);
      renameSync(draft, folders.cluster);
    } catch (error) {
      // Another start was faster, and may have swept this draft away.
      if (!existsSync(folders.cluster)) throw error;
    }
  }
  const version = readFileSync(join(folders.cluster, 'PG_VERSION'), 'utf8').trim();
  if (version !== MAJOR) {
    throw new StartError(
      'database-failed',
      `${folders.cluster} was made by PostgreSQL ${version}; this is ${MAJOR}.`,
    );
  }
};

/** Deletes what starts that were cut short left behind. For the owner of the cluster. */
export const sweepDrafts = (folders: DatabaseFolders): void => {
  for (const name of readdirSync(folders.outer)) {
    if (name.startsWith('draft-'))
      rmSync(join(folders.outer, name), { recursive: true, force: true, maxRetries: 5 });
  }
};
