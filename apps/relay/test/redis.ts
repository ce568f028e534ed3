import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { eventually, freePort, temporaryFolder } from './harness.ts';
import { createClient } from '@redis/client';

/** A Redis of its own that keeps nothing on disk. */
export const startRedis = async () => {
  const folder = temporaryFolder();
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    child = spawn('redis-server', [...options, '--dir', folder.path], { stdio: 'ignore' });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', () =>
        reject(new Error('There is no redis-server on PATH. Install Redis (Debian: redis-server).')),
      );
    });
    await eventually(async () => {
      const client = createClient({ url, socket: { reconnectStrategy: false } });
      client.on('error', () => undefined);
      await client.connect();
      client.destroy();
    });
  };
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    url,
    start,
    /** `kill -9`. */
    end,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    stop: async () => {
      await end();
      folder.remove();
    },
  };
};
