// `npm run faults`: what `npm test` does to a relay, its database and its network for some seconds, in full: it is killed,
// frozen, cut off, filled up and set back, many times over. As root on Linux also on a full disk.
//   --only <part>   one of the files: crashes, database, sockets, clock
import path from 'node:path';
import { parseArgs } from 'node:util';
import { childEnv, fail, ROOT, run, say } from './lib.mjs';

const PARTS = ['crashes', 'database', 'sockets', 'clock'];
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const chosen = PARTS.filter((part) => values.only === undefined || part === values.only);
if (chosen.length === 0) fail(`--only takes one of: ${PARTS.join(', ')}`);

let failed = 0;
for (const part of chosen) {
  const started = Date.now();
  const { code, output } = await run(
    process.execPath,
    [
      path.join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=verbose',
      `apps/relay/src/${part}.faults.test.ts`,
    ],
    { env: { ...childEnv(), FAULTS: 'full' }, minutes: 120 },
  );
  const minutes = ((Date.now() - started) / 60_000).toFixed(1);
  if (code !== 0) {
    failed += 1;
    say(`\n${output.trimEnd()}\n`);
  }
  // Left out where this machine does not let it happen.
  for (const [line] of output.matchAll(/^.*↓.*$/gm)) say(line.trim());
  say(`${code === 0 ? '✓' : '✗'} ${part.padEnd(10)} ${minutes.padStart(7)} min`);
}
say(`\n${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
