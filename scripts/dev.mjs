// `npm run dev`: the web app with hot reload on port 5173, the relay restarted whenever its sources change.
import path from 'node:path';
import { createInterface } from 'node:readline';
import { childEnv, onEndSignal, ROOT, say, spawnGroup } from './lib.mjs';

const WEB_PORT = '5173';
const relayPort = process.env['PORT'] || '7688';

/** @param {string} name @param {...string} parts */
const bin = (name, ...parts) => path.join(ROOT, 'node_modules', name, ...parts);

const programs = [
  {
    name: 'relay',
    cwd: ROOT,
    args: [bin('tsx', 'dist', 'cli.mjs'), 'watch', '--clear-screen=false', 'apps/relay/src/main.ts'],
    env: {
      PORT: relayPort,
      PUBLIC_URL: process.env['PUBLIC_URL'] || `http://localhost:${WEB_PORT}`,
      SOTTO_DATA: path.resolve(ROOT, process.env['SOTTO_DATA'] || 'data'),
    },
  },
  {
    name: 'web',
    cwd: path.join(ROOT, 'apps', 'web'),
    args: [bin('vite', 'bin', 'vite.js'), '--port', WEB_PORT, '--strictPort'],
    env: { SOTTO_RELAY: process.env['SOTTO_RELAY'] || `http://127.0.0.1:${relayPort}` },
  },
].map(({ name, cwd, args, env }) => {
  const { child, kill } = spawnGroup(process.execPath, args, {
    cwd,
    env: { ...childEnv(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    if (stream) createInterface({ input: stream }).on('line', (line) => say(`${name.padEnd(5)} │ ${line}`));
  return { name, child, kill };
});

let ending = false;
/** @param {NodeJS.Signals} signal */
const end = (signal) => {
  ending = true;
  for (const program of programs) program.kill(signal);
};
onEndSignal(end);
for (const { name, child } of programs) {
  child.on('error', (error) => say(`${name.padEnd(5)} │ ${error.message}`));
  child.on('exit', (code) => {
    if (ending) return;
    say(`${name.padEnd(5)} │ ended by itself (${code ?? 'signal'}); stopping the other`);
    process.exitCode = 1;
    end('SIGTERM');
  });
}
