// `npm run fuzz`: what `npm test` sends to the relay for some seconds, in full: made from the interface's own documents.
//   --count <n>   so many requests and so many events, instead of 10,000 of each
//   --seed <n>    again what failed
import path from 'node:path';
import { parseArgs } from 'node:util';
import { childEnv, fail, ROOT, run, say } from './lib.mjs';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '10000' }, seed: { type: 'string' } },
});
for (const [name, text] of Object.entries(values))
  if (!/^-?\d+$/.test(text)) fail(`--${name} takes a number`);

const { code, output } = await run(
  process.execPath,
  [path.join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', 'apps/relay/src/fuzz.test.ts'],
  {
    env: { ...childEnv(), FUZZ: values.count, ...(values.seed !== undefined && { SEED: values.seed }) },
    minutes: 120,
  },
);
if (code !== 0) say(`\n${output.trimEnd()}\n`);
say(`${code === 0 ? '✓' : '✗'} ${values.count} requests, ${values.count} events`);
process.exitCode = code === 0 ? 0 : 1;
