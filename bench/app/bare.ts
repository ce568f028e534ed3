import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { bundle } from '../../e2e/crypto/lab.ts';

const SOCKETS = path.resolve(import.meta.dirname, '../../packages/transport/node_modules');

/** The bare page and its server, which is a process of its own as a relay is. */
export const startBare = async (): Promise<{ url: string; close(): Promise<void> }> => {
  const names = ['socket.io-client', 'socket.io-msgpack-parser'];
  const alias = Object.fromEntries(names.map((name) => [name, path.join(SOCKETS, name)]));
  const folder = await bundle('bench/app/bare-page.ts', 'bench-bare-page', alias);
  const child = fork(path.join(import.meta.dirname, 'bare-server.ts'), [folder], {
    execArgv: ['--import', 'tsx'],
  });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    url: `http://localhost:${port}`,
    async close() {
      if (!child.connected) return;
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
};
