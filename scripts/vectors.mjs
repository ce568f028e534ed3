// `npm run vectors`: writes every published vector of packages/crypto anew. Each run writes the same bytes;
// `npm run vectors -- --check` compares with what is here instead, and names what differs.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnv, fail, ROOT, run, say } from './lib.mjs';

const FOLDER = path.join(ROOT, 'packages/crypto/vectors');
/** What the others import. */
const SHARED = new Set(['fixed.mjs', 'session-reference.mjs']);

/**
 * Has every script write its vectors to a folder.
 * @param {string} to
 * @returns {Promise<string[]>} what went wrong
 */
const write = async (to) => {
  const env = { ...childEnv(), VECTORS: to };
  const problems = [];
  for (const name of readdirSync(FOLDER)) {
    if (!name.endsWith('.mjs') || SHARED.has(name)) continue;
    const { code, output } = await run(process.execPath, ['--import', 'tsx', path.join(FOLDER, name)], {
      env,
    });
    if (code !== 0) problems.push(`${name} failed:\n${output}`);
  }
  return problems;
};

/**
 * Writes the vectors elsewhere and compares.
 * @returns {Promise<{ passed: number, failed: number, output: string }>}
 */
export const checkVectors = async () => {
  const fresh = mkdtempSync(path.join(tmpdir(), 'sotto-vectors-'));
  try {
    const problems = await write(fresh);
    const files = [...readdirSync(fresh), ...readdirSync(FOLDER).filter((name) => name.endsWith('.json'))];
    const names = [...new Set(files)];
    const read = (/** @type {string} */ file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
    for (const name of names)
      if (read(path.join(fresh, name)) !== read(path.join(FOLDER, name)))
        problems.push(`${path.relative(ROOT, path.join(FOLDER, name))} is not what its script writes`);
    const failed = problems.length;
    return { passed: Math.max(0, names.length - failed), failed, output: problems.join('\n') };
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--check') {
    const { passed, failed, output } = await checkVectors();
    if (output) say(`${output}\n`);
    say(`${passed} passed, ${failed} failed`);
    process.exitCode = failed > 0 ? 1 : 0;
  } else {
    const problems = await write(FOLDER);
    if (problems.length > 0) fail(problems.join('\n'));
  }
}
