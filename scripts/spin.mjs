// Checks the models in `spin/`, and that each fails once one of its rules is broken. `npm test` runs this where Spin
// and a C compiler are, or can be installed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureSpin } from './browser.mjs';
import { ROOT, run, say } from './lib.mjs';

const MODELS = [
  {
    file: 'delivery.pml',
    claims: ['kept', 'arrives'],
    broken: ['RELAY_ACKS_FIRST', 'RECIPIENT_ACKS_FIRST', 'NO_DEDUPLICATION', 'ANY_ORDER'],
  },
  { file: 'epochs.pml', claims: ['both', 'each'], broken: ['READ_THEN_WRITE', 'NO_IDS'] },
];

/** Steps that a search may be deep. */
const DEPTH = '100000';

/**
 * Searches every state of a model.
 * @param {string} file
 * @param {readonly string[]} claims beside its assertions and dead ends
 * @param {readonly string[]} defines
 * @returns {Promise<{ holds: boolean, states: number, output: string }>}
 */
const search = async (file, claims, defines) => {
  const cwd = mkdtempSync(path.join(tmpdir(), 'sotto-spin-'));
  let states = 0;
  let output = '';
  /** @param {string} command @param {...string} args */
  const step = async (command, ...args) => {
    const result = await run(command, args, { cwd });
    output = result.output;
    if (result.code !== 0) throw new Error(`${command} ${args.join(' ')}\n${output}`);
  };
  /** @param {...string} args */
  const holds = async (...args) => {
    await step('./pan', ...args, `-m${DEPTH}`);
    const errors = /errors: (\d+)/.exec(output)?.[1];
    // A search that ended early proves nothing.
    if (errors === undefined || /max search depth too small|out of memory/.test(output))
      throw new Error(`the search of ${file} did not end:\n${output}`);
    states += Number(/([\d.e+]+) states, stored/.exec(output)?.[1] ?? 0);
    return errors === '0';
  };
  try {
    await step('spin', '-a', ...defines.map((name) => `-D${name}`), path.join(ROOT, 'spin', file));
    await step('cc', '-O2', '-w', '-DSAFETY', '-DNOCLAIM', '-o', 'pan', 'pan.c');
    if (!(await holds())) return { holds: false, states, output };
    await step('cc', '-O2', '-w', '-o', 'pan', 'pan.c');
    for (const claim of claims)
      if (!(await holds('-a', '-N', claim))) return { holds: false, states, output };
    return { holds: true, states, output };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
};

/**
 * @param {(line: string) => void} [tell]
 * @returns {Promise<{ passed: number, failed: number, output: string } | { missing: string }>}
 */
export const checkModels = async (tell = () => {}) => {
  const missing = await ensureSpin();
  if (missing) return { missing };
  const result = { passed: 0, failed: 0, output: '' };
  for (const { file, claims, broken } of MODELS)
    for (const rule of [undefined, ...broken]) {
      const name = rule === undefined ? file : `${file} with ${rule}`;
      try {
        const { holds, states, output } = await search(file, claims, rule === undefined ? [] : [rule]);
        const right = holds === (rule === undefined);
        tell(`${right ? '✓' : '✗'} ${name}: ${holds ? `holds in ${states} states` : 'a counterexample'}`);
        result[right ? 'passed' : 'failed'] += 1;
        if (!right) result.output += `${name} ${holds ? 'still holds' : 'does not hold'}\n${output}\n`;
      } catch (error) {
        result.failed += 1;
        result.output += `${name}: ${error instanceof Error ? error.message : String(error)}\n`;
      }
    }
  return result;
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const result = await checkModels(say);
  if ('missing' in result) say(`The models were not checked: ${result.missing}`);
  else {
    if (result.output) say(result.output);
    say(`${result.passed} passed, ${result.failed} failed`);
    process.exitCode = result.failed > 0 ? 1 : 0;
  }
}
