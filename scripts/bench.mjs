// `npm run bench -- <name> [--json]`: measures, prints, and ends with 0 once it has measured.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fail, must, ROOT, run } from './lib.mjs';

const FOLDER = path.join(ROOT, 'bench');
const BENCHES = ['crypto', 'engine', 'relay'];

const [name = '', ...rest] = process.argv.slice(2);
if (!BENCHES.includes(name)) fail(`npm run bench -- <name> [--json], with one of: ${BENCHES.join(', ')}`);

// The peer of `crypto` is not installed with Sotto: it is large, and of use here alone.
if (name === 'crypto' && !existsSync(path.join(FOLDER, 'node_modules')))
  await must('install what is measured against', 'npm', ['ci', '--ignore-scripts', '--no-audit'], {
    cwd: FOLDER,
  });

const { code } = await run(process.execPath, ['--import', 'tsx', path.join(FOLDER, `${name}.ts`), ...rest], {
  show: true,
});
process.exitCode = code;
