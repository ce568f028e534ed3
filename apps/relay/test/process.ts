import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DeliveryToken } from '@sotto/contract/ids';
import type pg from 'pg';
import { LIMITS } from '@sotto/contract/limits';
import { build } from 'vite';
import { afterAll } from 'vitest';
import { migrate } from '../src/postgres/migrate.ts';
import { Tokens } from '../src/services/tokens.ts';
import { idBytesOf, randomId } from './device.ts';
import type { Party } from './exchange.ts';
import { eventually, freePort, temporaryFolder } from './harness.ts';
import { insertAccounts } from './roster.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const MIGRATIONS = join(ROOT, 'prisma/migrations');
export const METRICS_TOKEN = 'of the tests alone'.replaceAll(' ', '-');

let built: Promise<string> | undefined;
const output = temporaryFolder();
afterAll(() => output.remove());
/** As production runs it: plain JavaScript. */
const compiled = (): Promise<string> =>
  (built ??= (async () => {
    const folder = output.path;
    // What the file imports comes from where the relay has it from.
    symlinkSync(join(ROOT, 'apps/relay/node_modules'), join(folder, 'node_modules'));
    await build({
      configFile: false,
      root: join(ROOT, 'apps/relay'),
      logLevel: 'error',
      publicDir: false,
      build: {
        ssr: join(import.meta.dirname, 'served.ts'),
        target: 'node20',
        outDir: folder,
        emptyOutDir: false,
      },
      ssr: { noExternal: [/^@sotto\//] },
    });
    return join(folder, 'served.js');
  })());

/** A relay in a process of its own, on a port that stays the same over its starts. */
export const prepareRelay = async (env: Record<string, string>, options: { openFiles?: number } = {}) => {
  const [main, port, folder] = [await compiled(), await freePort(), temporaryFolder()];
  const state = { output: '' };
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exit = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    // What is stopped hears nothing else.
    child.kill('SIGCONT');
    return (await exit)[0];
  };
  const status = async (path = '/readyz'): Promise<number> => {
    try {
      const headers = { authorization: `Bearer ${METRICS_TOKEN}`, connection: 'close' };
      const signal = AbortSignal.timeout(5_000);
      return (await fetch(`http://127.0.0.1:${port}${path}`, { headers, signal })).status;
    } catch {
      return 0;
    }
  };
  const start = async (): Promise<void> => {
    const limit = options.openFiles === undefined ? '' : `ulimit -n ${options.openFiles} && `;
    child = spawn('/bin/sh', ['-c', `${limit}exec "$0" --no-warnings "$1"`, process.execPath, main], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOST: '127.0.0.1',
        PORT: String(port),
        SOTTO_DATA: join(folder.path, 'data'),
        METRICS_TOKEN,
        MIGRATIONS,
        LOG_LEVEL: 'warn',
        ...env,
      },
    });
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (data: Buffer) => void (state.output += data.toString()));
    const started = child;
    await eventually(async () => {
      if (started.exitCode !== null) throw new Error(`The relay ended: ${state.output}`);
      if ((await status()) !== 200) throw new Error(`The relay is not ready: ${state.output}`);
    }, 60_000);
  };
  return {
    port,
    state,
    status,
    start,
    dataFolder: env['SOTTO_DATA'] ?? join(folder.path, 'data'),
    /** Whether it runs. */
    get running() {
      return child !== undefined && child.exitCode === null && child.signalCode === null;
    },
    kill: () => end('SIGKILL'),
    terminate: () => end('SIGTERM'),
    freeze: () => void child!.kill('SIGSTOP'),
    thaw: () => void child!.kill('SIGCONT'),
    /** Bytes in memory. */
    rss: (): number =>
      Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child!.pid}/status`, 'utf8'))![1]) * 1024,
    stop: async (): Promise<void> => {
      await end('SIGTERM');
      folder.remove();
    },
  };
};
export type RelayProcess = Awaited<ReturnType<typeof prepareRelay>>;

/** People with a device each, straight in a database, with tokens that its relays accept. */
export const settle = async (pool: pg.Pool, count: number): Promise<Party[]> => {
  await migrate(pool, MIGRATIONS);
  const tokens = new Tokens(pool, {
    lifetimes: { accessToken: LIMITS.accessTokenMs, challenge: 1000 },
    now: Date.now,
  });
  const people = await insertAccounts(pool, count);
  const made: Party[] = [];
  for (const { account, devices } of people) {
    const delivery = randomId<DeliveryToken>();
    const { token } = await tokens.issueAccess(devices[0]!, account);
    // The head of those is the account's own id.
    made.push({ account, device: devices[0]!, head: account, delivery, token });
  }
  await pool.query(
    `UPDATE account SET delivery = u.hash FROM unnest($1::bytea[], $2::bytea[]) AS u(id, hash)
     WHERE account.id = u.id`,
    [
      made.map(({ account }) => idBytesOf(account)),
      made.map(({ delivery }) => createHash('sha256').update(idBytesOf(delivery)).digest()),
    ],
  );
  return made;
};
