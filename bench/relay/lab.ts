// Databases, relays and load generators of a bench, each in a process of its own.
import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { build } from 'vite';
import { acquireCluster } from '../../apps/relay/src/postgres/launcher.ts';
import { migrate } from '../../apps/relay/src/postgres/migrate.ts';
import type { Outcome, Task } from './load.ts';
import { makePeople, settle, type Person } from './people.ts';
import type { Usage } from './probe.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MIGRATIONS = path.join(ROOT, 'prisma/migrations');
const START_MS = 30_000;

export type Kind = 'reference' | 'real';

/** A relay in a process of its own. */
export interface Running {
  kind: Kind;
  port: number;
  usage(): Promise<Usage>;
  /** After a collection. */
  collected(): Promise<Usage>;
  /** Begins to take a profile. */
  profile(): Promise<Usage>;
  /** Has written it into the lab's folder. */
  profiled(): Promise<Usage>;
  stop(): Promise<void>;
}

export interface Load {
  /** `marked` is called when the time that counts begins, and when it is over. */
  run(task: Task, marked?: () => void): Promise<Outcome>;
  stop(): Promise<void>;
}

export interface Lab {
  people: Person[];
  pools: Record<Kind, pg.Pool>;
  /** Where profiles are written, and what else there is. */
  folder: string;
  start(kind: Kind, options?: { redisUrl?: string }): Promise<Running>;
  startLoad(): Promise<Load>;
  close(): Promise<void>;
}

/** As production runs them: plain JavaScript, nothing translated on the way. */
const compile = async (folder: string): Promise<void> => {
  const entries = ['real', 'reference', 'load'].map((name) => path.join(import.meta.dirname, `${name}.ts`));
  await build({
    configFile: false,
    root: path.join(ROOT, 'apps/relay'),
    logLevel: 'error',
    publicDir: false,
    build: {
      ssr: true,
      target: 'node20',
      outDir: folder,
      minify: false,
      reportCompressedSize: false,
      rollupOptions: {
        input: entries,
        output: { entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
      },
    },
    ssr: { noExternal: [/^@sotto\//, 'ws'] },
  });
};

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });

const tail = (log: string): string => readFileSync(log, 'utf8').slice(-2000);

/** Says the next message of a child; fails when the child ends instead. */
const next = <T>(child: ChildProcess, log: string, patience: number): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(late);
      child.off('message', heard).off('exit', gone);
    };
    const heard = (message: unknown): void => {
      stop();
      resolve(message as T);
    };
    const gone = (): void => {
      stop();
      reject(new Error(`A process of the bench ended: ${tail(log)}`));
    };
    const late = setTimeout(() => {
      stop();
      reject(new Error(`A process of the bench does not answer: ${tail(log)}`));
    }, patience);
    child.on('message', heard).on('exit', gone);
  });

const createDatabase = async (base: string, name: Kind, people: Person[]): Promise<pg.Pool> => {
  const server = new pg.Client(`${base}/postgres`);
  await server.connect();
  await server.query(`CREATE DATABASE ${name}`);
  await server.end();
  const pool = new pg.Pool({ connectionString: `${base}/${name}`, max: 1 });
  pool.on('error', () => undefined);
  await migrate(pool, MIGRATIONS);
  await settle(pool, people, people.slice(100, 200));
  return pool;
};

const fillLab = async (
  folder: string,
  count: number,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<Lab> => {
  const log = path.join(folder, 'output.log');
  const output = openSync(log, 'a');
  closers.push(async () => closeSync(output));
  // What the compiled files import comes from where the relay has it from.
  symlinkSync(path.join(ROOT, 'apps/relay/node_modules'), path.join(folder, 'node_modules'));
  await compile(folder);
  const cluster = await acquireCluster(path.join(folder, 'data'), (error) => {
    throw error;
  });
  closers.push(() => cluster.stop());
  const { host, port, user, password } = cluster.connection;
  const base = `postgresql://${user}:${password}@${host}:${port}`;
  const people = makePeople(count);
  const file = path.join(folder, 'people.json');
  writeFileSync(file, JSON.stringify(people), { mode: 0o600 });
  const pools = {
    reference: await createDatabase(base, 'reference', people),
    real: await createDatabase(base, 'real', people),
  };
  const children = new Set<ChildProcess>();
  closers.push(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all([...children].map(ended));
    for (const pool of Object.values(pools)) await pool.end();
  });

  const spawn = (name: string, args: string[], env: Record<string, string>, execArgv: string[]) => {
    const child = fork(path.join(folder, `${name}.mjs`), args, {
      env: { PATH: process.env['PATH'], ...env },
      execArgv,
      cwd: folder,
      stdio: ['ignore', output, output, 'ipc'],
    });
    children.add(child);
    child.on('exit', () => children.delete(child));
    return child;
  };

  let started = 0;
  return {
    people,
    pools,
    folder,
    start: async (kind, { redisUrl } = {}) => {
      started += 1;
      const child = spawn(
        kind,
        [],
        {
          DATABASE_URL: `${base}/${kind}`,
          MIGRATIONS,
          PORT: '0',
          SOTTO_DATA: path.join(folder, `relay-${started}`),
          SOTTO_WEB: path.join(ROOT, 'apps/web/dist'),
          ...(redisUrl && { REDIS_URL: redisUrl }),
        },
        ['--expose-gc', '--no-warnings'],
      );
      const { port } = await next<{ port: number }>(child, log, START_MS);
      const ask = (question: string): Promise<Usage> => {
        const answer = next<Usage>(child, log, START_MS);
        child.send(question);
        return answer;
      };
      return {
        kind,
        port,
        usage: () => ask('usage'),
        collected: () => ask('gc'),
        profile: () => ask('profile'),
        profiled: () => ask('profiled'),
        stop: async () => {
          if (child.connected) child.send('stop');
          await ended(child);
        },
      };
    },
    startLoad: async () => {
      const child = spawn('load', [file], {}, ['--no-warnings']);
      return {
        run: (task, marked) =>
          new Promise((resolve, reject) => {
            const gone = (): void => reject(new Error(`A load generator ended: ${tail(log)}`));
            const heard = (said: { mark?: true; outcome?: Outcome; error?: string }): void => {
              if (said.mark) return marked?.();
              child.off('message', heard).off('exit', gone);
              if (said.outcome) resolve(said.outcome);
              else reject(new Error(said.error));
            };
            child.on('message', heard).on('exit', gone);
            child.send(task);
          }),
        stop: async () => {
          if (child.connected) child.disconnect();
          await ended(child);
        },
      };
    },
    close,
  };
};

/** Starts PostgreSQL with a database for each side, both with the same people in them. */
export const openLab = async (count: number): Promise<Lab> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sotto-bench-'));
  const closers = [async () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    return await fillLab(folder, count, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
};
