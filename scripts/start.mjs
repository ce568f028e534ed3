// `npm start`: builds what has changed and runs the relay, which serves the app. Also `npm run sotto -- <command>`:
// the same program with a command of the host's.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, RELAY_MAIN } from './build.mjs';
import { ROOT } from './lib.mjs';

await build();

process.env['SOTTO_DATA'] = path.resolve(ROOT, process.env['SOTTO_DATA'] || 'data');

// Without a command it would start another relay; this makes it say which commands there are.
if (process.env['npm_lifecycle_event'] === 'sotto' && process.argv.length === 2) process.argv.push('help');

// When npm is killed, nobody is left to pass a Ctrl-C on.
const parent = process.ppid;
if (process.env['npm_lifecycle_event'])
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
  }, 1000).unref();

// In this process, not in a child: a signal or a kill meets the relay itself, and its exit code is ours.
await import(pathToFileURL(RELAY_MAIN).href);
