import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What a running PostgreSQL writes into `postmaster.pid`. */
export interface Postmaster {
  pid: number;
  port: number;
  ready: boolean;
}

const isServerOf = (pid: number, folder: string): boolean => {
  try {
    process.kill(pid, 0);
    if (process.platform !== 'linux') {
      return execFileSync('ps', ['-o', 'command=', '-p', String(pid)]).includes(`-D ${folder} `);
    }
    // The server stands in its data folder, so this holds under any name the folder has.
    const [at, wanted] = [statSync(`/proc/${pid}/cwd`), statSync(folder)];
    return at.dev === wanted.dev && at.ino === wanted.ino;
  } catch {
    return false;
  }
};

/** The server that is running on `folder`, or undefined. A leftover file whose pid belongs to another is nobody. */
export const findPostmaster = (folder: string): Postmaster | undefined => {
  let lines: string[];
  try {
    lines = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isServerOf(pid, folder)) return undefined;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
};
