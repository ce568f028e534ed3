// `npm run soak`: the schedules that `npm test` runs for some seconds, in full. For hours.
//   --only sessions|groups|engine|engine-groups   one of them
//   --schedules <n>                               so many, instead of what stands below
//   --seed <n>                                    again what failed
import path from 'node:path';
import { parseArgs } from 'node:util';
import { childEnv, fail, ROOT, run, say } from './lib.mjs';

const SOAKS = [
  { name: 'sessions', file: 'packages/crypto/src/session-schedules.test.ts', schedules: 20_000 },
  // Of each of its kinds.
  { name: 'groups', file: 'packages/crypto/src/group-schedules.test.ts', schedules: 1000 },
  { name: 'engine', file: 'packages/dev-env/src/schedule.test.ts', schedules: 5000 },
  { name: 'engine-groups', file: 'packages/dev-env/src/group-schedule.test.ts', schedules: 500 },
];
const HOURS = 24;

/** @param {string | undefined} text @param {string} name */
const number = (text, name) => {
  if (text !== undefined && !/^-?\d+$/.test(text)) fail(`--${name} takes a number`);
  return text;
};

const { values } = parseArgs({
  options: { only: { type: 'string' }, schedules: { type: 'string' }, seed: { type: 'string' } },
});
const given = number(values.schedules, 'schedules');
const seed = number(values.seed, 'seed');
const chosen = SOAKS.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0) fail(`--only takes one of: ${SOAKS.map(({ name }) => name).join(', ')}`);

let failed = 0;
for (const { name, file, schedules } of chosen) {
  const count = given ?? `${schedules}`;
  const started = Date.now();
  const { code, output } = await run(
    process.execPath,
    [path.join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', file],
    {
      env: { ...childEnv(), SCHEDULES: count, ...(seed !== undefined && { SEED: seed }) },
      minutes: 60 * HOURS,
    },
  );
  const minutes = ((Date.now() - started) / 60_000).toFixed(1);
  if (code !== 0) {
    failed += 1;
    const [, found] = /seed: (-?\d+)/.exec(output) ?? [];
    say(`\n${output.trimEnd()}\n`);
    if (found !== undefined)
      say(`Again: npm run soak -- --only ${name} --schedules ${count} --seed ${found}\n`);
  }
  say(
    `${code === 0 ? '✓' : '✗'} ${name.padEnd(13)} ${count.padStart(6)} schedules ${minutes.padStart(7)} min`,
  );
}
say(`\n${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
