// `npm run mutants`: takes each check that the lists beside it name out in turn and expects a test to fail. Works on a copy:
// the tree is not touched, whenever it ends. `npm run mutants -- seal` takes those alone whose name or file has it.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fail, onEndSignal, ROOT, run, say } from './lib.mjs';
import { GROUPS_AND_FILES } from './mutants-groups.mjs';
import { BASIS } from './mutants-list.mjs';
import { PROTOCOL } from './mutants-protocol.mjs';

const COPIED = [
  'package.json',
  'tsconfig.base.json',
  // It takes plugins from the app.
  'vitest.config.ts',
  'apps/web/scripts',
  'packages/crypto',
  'docs/protocol.md',
];
const FOLDER = 'packages/crypto';

const only = process.argv.slice(2);
const chosen = [...BASIS, ...PROTOCOL, ...GROUPS_AND_FILES].filter(
  ({ name, file }) => only.length === 0 || only.some((word) => `${file} ${name}`.includes(word)),
);
if (chosen.length === 0) fail(`No mutant has ${only.join(' or ')} in its name or file.`);

const copy = mkdtempSync(path.join(tmpdir(), 'sotto-mutants-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
onEndSignal(() => process.exit(130));

for (const entry of COPIED)
  cpSync(path.join(ROOT, entry), path.join(copy, entry), {
    recursive: true,
    filter: (source) => path.basename(source) !== 'node_modules',
  });
for (const folder of ['', FOLDER, 'apps/web'])
  symlinkSync(path.join(ROOT, folder, 'node_modules'), path.join(copy, folder, 'node_modules'));

const report = path.join(copy, 'report.json');

/**
 * Runs test files in the copy.
 * @param {readonly string[]} tests
 * @returns {Promise<{ failed: string[], unloaded: boolean, output: string }>} the names of the tests that failed
 */
const test = async (tests) => {
  rmSync(report, { force: true });
  const { output } = await run(
    process.execPath,
    [
      path.join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...tests.map((name) => `${FOLDER}/src/${name}`),
    ],
    { cwd: copy, minutes: 5 },
  );
  /** @type {{ status: string, message: string, assertionResults: { status: string, fullName: string }[] }[]} */
  let files = [];
  try {
    files = JSON.parse(readFileSync(report, 'utf8')).testResults;
  } catch {
    // Nothing was written: nothing ran.
  }
  const failed = files.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  );
  const unloaded = files.length === 0 || files.some((file) => file.assertionResults.length === 0);
  return { failed, unloaded: unloaded && failed.length === 0, output };
};

const all = [...new Set(chosen.flatMap(({ tests }) => tests))];
const sound = await test(all);
if (sound.failed.length > 0 || sound.unloaded)
  fail(`${sound.output}\nThe tests fail before anything is taken out: ${sound.failed.join(', ')}`);

let alive = 0;
for (const { name, file, find, replace, tests } of chosen) {
  const full = path.join(copy, FOLDER, 'src', file);
  const text = readFileSync(full, 'utf8');
  const found = text.split(find).length - 1;
  let problem = found === 1 ? '' : `its text is ${found} times in the file`;
  let killer = '';
  if (!problem) {
    writeFileSync(
      full,
      text.replace(find, () => replace),
    );
    const { failed, unloaded } = await test(tests);
    writeFileSync(full, text);
    killer = failed[0] ?? '';
    if (unloaded) problem = 'the tests do not load with it';
    else if (!killer) problem = 'every test passes without it';
  }
  if (problem) alive += 1;
  say(`${problem ? '✗' : '✓'} ${file.padEnd(16)} ${name}: ${problem || `fails "${killer}"`}`);
}
say(`\n${chosen.length - alive} passed, ${alive} failed`);
process.exitCode = alive > 0 ? 1 : 0;
