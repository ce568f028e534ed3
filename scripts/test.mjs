// `npm test`: every check that must pass before a change lands. `--only verify` leaves the browser tests out,
// `--only e2e` runs them alone; what follows is handed to Playwright. The last line is `N passed, N failed`.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ensureFirefox, ensureRedis, ensureWebKit } from './browser.mjs';
import { childEnv, fail, ROOT, run, say } from './lib.mjs';
import { checkModels } from './spin.mjs';
import { checkVectors } from './vectors.mjs';

const PARTS = ['verify', 'e2e'];
/** Of Playwright. */
const STORIES = '--project=stories';
const args = process.argv.slice(2);
let parts = PARTS;
if (args[0] === '--only') {
  const [, part = ''] = args.splice(0, 2);
  if (!PARTS.includes(part)) fail(`--only takes one of: ${PARTS.join(', ')}`);
  parts = [part];
}

/** @typedef {{ passed: number, failed: number, skipped?: number, output: string }} Result */

const RESULTS = path.join(ROOT, 'test-results');
const tool = (/** @type {string} */ file) => path.join(ROOT, 'node_modules', file);

/**
 * A check that either holds or does not.
 * @param {string} file of the program, below node_modules
 * @param {...string} rest
 * @returns {() => Promise<Result>}
 */
const check =
  (file, ...rest) =>
  async () => {
    const { code, output } = await run(process.execPath, [tool(file), ...rest]);
    return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output };
  };

/** Every word on a screen is in the catalogues, in every language. @returns {Promise<Result>} */
const strings = async () => {
  const { code, output } = await run(process.execPath, [
    path.join('apps', 'web', 'scripts', 'check-strings.mjs'),
  ]);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output };
};

/** @returns {Promise<Result>} */
const types = async () => {
  const projects = ['scripts', 'e2e', 'bench'];
  for (const group of ['apps', 'examples', 'packages'])
    for (const name of readdirSync(path.join(ROOT, group)))
      for (const file of readdirSync(path.join(ROOT, group, name)))
        if (/^tsconfig(?:\.\w+)?\.json$/.test(file)) projects.push(path.join(group, name, file));
  /** @type {Result} */
  const total = { passed: 1, failed: 0, output: '' };
  for (const project of projects) {
    const { code, output } = await run(process.execPath, [tool('typescript/bin/tsc'), '-p', project]);
    if (code === 0) continue;
    Object.assign(total, { passed: 0, failed: 1, output: `${total.output}${project}\n${output}` });
  }
  return total;
};

/**
 * The report of a test runner, or nothing when it did not come to write one.
 * @param {string} name
 */
const report = (name) => {
  const file = path.join(RESULTS, name);
  rmSync(file, { force: true });
  mkdirSync(RESULTS, { recursive: true });
  return { file, read: () => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined) };
};

/**
 * A runner that failed without naming a failed test, or that ran none, has failed once.
 * @param {number} code
 * @param {Result} result
 */
const settle = (code, result) => {
  const ran = result.passed + (result.skipped ?? 0);
  if (result.failed === 0 && (code !== 0 || ran === 0)) result.failed = 1;
  return result;
};

/** @returns {Promise<Result>} */
const vitest = async () => {
  // Who has none still sees all others pass.
  const missing = await ensureRedis();
  if (missing) say(`The tests of several relays will fail: ${missing}`);
  const { file, read } = report('vitest.json');
  const { code, output } = await run(process.execPath, [
    tool('vitest/vitest.mjs'),
    'run',
    '--reporter=dot',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  const json = read();
  /** @type {{ status: string, assertionResults: { status: string }[] }[]} */
  const files = json?.testResults ?? [];
  // A file that does not load has no tests to fail.
  const unloaded = files.filter((entry) => entry.status === 'failed' && entry.assertionResults.length === 0);
  return settle(code, {
    passed: json?.numPassedTests ?? 0,
    failed: (json?.numFailedTests ?? 0) + unloaded.length,
    output,
  });
};

/**
 * @param {readonly string[]} rest what Playwright is told, beside how to report
 * @param {Record<string, string>} [env] for it
 * @returns {Promise<Result>}
 */
const playwright = async (rest, env) => {
  const { file, read } = report('playwright.json');
  const only = parts.length === 1;
  const { code, output } = await run(
    process.execPath,
    [tool('@playwright/test/cli.js'), 'test', '--reporter=list,json', ...rest],
    {
      show: only,
      env: { ...childEnv(), ...env, PLAYWRIGHT_JSON_OUTPUT_FILE: file },
    },
  );
  const stats = read()?.stats;
  return settle(code, {
    passed: stats?.expected ?? 0,
    failed: (stats?.unexpected ?? 0) + (stats?.flaky ?? 0),
    skipped: stats?.skipped ?? 0,
    output,
  });
};

/** In Chromium, unless the arguments name a project. */
const browser = async () => {
  if (args.includes(STORIES)) return undefined;
  for (const script of ['scripts/browser.mjs', 'scripts/build.mjs']) {
    const { code } = await run(process.execPath, [script], { show: true });
    if (code !== 0) return { passed: 0, failed: 1, output: '' };
  }
  const named = args.some((arg) => arg.startsWith('--project'));
  return playwright(named ? args : [...args, '--project=specs', '--project=chromium']);
};

/** axe on every story, only where nothing else was asked for. */
const stories = async () => {
  if (args.length > 0 && !args.includes(STORIES)) return undefined;
  const { code, output } = await run(process.execPath, ['scripts/build.mjs', 'stories']);
  if (code !== 0) return { passed: 0, failed: 1, output };
  return playwright(args.length > 0 ? args : [STORIES]);
};

/** Some screens beside the pictures that are kept of them: only where letters are drawn as in these. */
const pictures = async () => {
  if (args.length > 0) return undefined;
  const result = await playwright(['--project=screenshots', 'screens.spec'], { SCREENSHOTS: 'key' });
  if (!result.skipped) return result;
  say(`- ${'pictures'.padEnd(22)} left out: other fonts here than those of the pictures that are kept`);
  return undefined;
};

/**
 * The suites and the story in another engine: only where that is, or can be had, and nothing else was asked for.
 * @param {string} project
 * @param {() => Promise<string>} ensure
 */
const engine = (project, ensure) => async () => {
  if (args.length > 0) return undefined;
  const missing = await ensure();
  if (!missing) return playwright([`--project=${project}`]);
  say(`- ${project.padEnd(22)} left out: ${missing}`);
  return undefined;
};

/** Only where the tool is: a container engine is not needed to work on Sotto. */
const compose = async () => {
  for (const [command, ...rest] of [['docker', 'compose'], ['docker-compose']]) {
    if (command === undefined) continue;
    if ((await run(command, [...rest, 'version'])).code !== 0) continue;
    const env = { ...childEnv(), POSTGRES_PASSWORD: 'check', PUBLIC_URL: 'https://chat.example' };
    const { code, output } = await run(command, [...rest, '-f', 'docker-compose.yml', 'config', '-q'], {
      env,
    });
    return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output };
  }
  return undefined;
};

/** Only where Spin is, or can be had. */
const models = async () => {
  const result = await checkModels();
  if (!('missing' in result)) return result;
  say(`- models                 left out: ${result.missing}`);
  return undefined;
};

/** @type {{ name: string, part: string, step: () => Promise<Result | undefined> }[]} */
const STEPS = [
  { name: 'format', part: 'verify', step: check('oxfmt/bin/oxfmt', '--check') },
  {
    name: 'lint',
    part: 'verify',
    step: check('oxlint/bin/oxlint', '--deny-warnings', '--report-unused-disable-directives'),
  },
  { name: 'types', part: 'verify', step: types },
  { name: 'strings', part: 'verify', step: strings },
  { name: 'dead code', part: 'verify', step: check('knip/bin/knip.js', '--no-progress') },
  { name: 'compose file', part: 'verify', step: compose },
  { name: 'models', part: 'verify', step: models },
  { name: 'vectors', part: 'verify', step: checkVectors },
  { name: 'unit and integration', part: 'verify', step: vitest },
  { name: 'browser', part: 'e2e', step: browser },
  { name: 'pictures', part: 'e2e', step: pictures },
  { name: 'stories', part: 'e2e', step: stories },
  { name: 'firefox', part: 'e2e', step: engine('firefox', ensureFirefox) },
  { name: 'webkitgtk', part: 'e2e', step: engine('webkitgtk', ensureWebKit) },
];

let passed = 0;
let failed = 0;
for (const { name, part, step } of STEPS) {
  if (!parts.includes(part)) continue;
  const started = Date.now();
  const result = await step();
  if (!result) continue;
  passed += result.passed;
  failed += result.failed;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  if (result.failed > 0 && result.output) say(`\n${result.output.trimEnd()}\n`);
  say(
    `${result.failed > 0 ? '✗' : '✓'} ${name.padEnd(22)} ` +
      `${`${result.passed} passed, ${result.failed} failed`.padEnd(26)} ${seconds.padStart(6)} s`,
  );
}
process.exitCode = failed > 0 ? 1 : 0;
say(`\n${passed} passed, ${failed} failed`);
