import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { lstatSync, lchownSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StartError } from '../start-error.ts';

const NOBODY = 65534;
const UNSHARE = ['--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--'];

/**
 * PostgreSQL refuses to run as root. `uid` undefined: as whoever runs this. `namespace`: as root outside, as
 * somebody else inside a user namespace, for folders that no other user can reach.
 */
export interface RunAs {
  uid: number | undefined;
  namespace: boolean;
}

/** Who can run `binary` on the existing `folder`. @throws StartError when nobody can. */
export const chooseRunAs = (binary: string, folder: string): RunAs => {
  if (process.getuid?.() !== 0) return { uid: undefined, namespace: false };
  // A folder that belongs to an ordinary user stays theirs.
  const uid = lstatSync(folder).uid || NOBODY;
  const reach = spawnSync(
    '/bin/sh',
    ['-c', 'cd "$1" && exec "$2" --version', 'sh', dirname(folder), binary],
    {
      uid,
      gid: uid,
      cwd: '/',
      stdio: 'ignore',
    },
  );
  if (reach.status === 0) return { uid, namespace: false };
  const inside = spawnSync('unshare', [...UNSHARE, binary, '--version'], { cwd: '/', stdio: 'ignore' });
  if (inside.status === 0) return { uid: undefined, namespace: true };
  throw new StartError(
    'database-failed',
    'PostgreSQL does not run as root, and this machine forbids `unshare`. Start Sotto as another user, or set DATABASE_URL to a PostgreSQL of your own.',
  );
};

/** Gives `folder` and all in it to whom the database will run as. */
export const giveTo = (runAs: RunAs, folder: string): void => {
  if (process.getuid?.() !== 0) return;
  const uid = runAs.uid ?? 0;
  if (lstatSync(folder).uid === uid) return;
  for (const entry of readdirSync(folder, { recursive: true }))
    lchownSync(join(folder, String(entry)), uid, uid);
  // Last, so that a kill in between is seen as unfinished.
  lchownSync(folder, uid, uid);
};

/** In a session of its own: a Ctrl-C in the terminal is the relay's to handle, and no terminal answers prompts. */
export const spawnAs = (runAs: RunAs, binary: string, args: string[], stdio: StdioOptions): ChildProcess => {
  const options = { stdio, detached: true, cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } };
  if (runAs.namespace) return spawn('unshare', [...UNSHARE, binary, ...args], options);
  if (runAs.uid === undefined) return spawn(binary, args, options);
  return spawn(binary, args, { ...options, uid: runAs.uid, gid: runAs.uid });
};
