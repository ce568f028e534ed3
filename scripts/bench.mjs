// `npm run bench -- <name> [--json]`: measures, prints, and ends with 0 once it has measured.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fail, must, ROOT, run, stamp } from './lib.mjs';

const FOLDER = path.join(ROOT, 'bench');
const BENCHES = ['app', 'crypto', 'engine', 'groups', 'relay'];

const [name = '', ...rest] = process.argv.slice(2);
if (!BENCHES.includes(name)) fail(`npm run bench -- <name> [--json], with one of: ${BENCHES.join(', ')}`);

// The peer of `crypto` and Lighthouse are not installed with Sotto: they are large, and of use here alone.
const installed = stamp('bench/node_modules/.sotto-installed');
const state = readFileSync(path.join(FOLDER, 'package-lock.json'), 'utf8');
if (['app', 'crypto'].includes(name) && !installed.matches(state)) {
  await must('install what is measured against', 'npm', ['ci', '--ignore-scripts', '--no-audit'], {
    cwd: FOLDER,
  });
  installed.write(state);
}

const { code } = await run(process.execPath, ['--import', 'tsx', path.join(FOLDER, `${name}.ts`), ...rest], {
  show: true,
});
process.exitCode = code;
