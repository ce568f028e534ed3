// What the scripts share. Plain Node: it runs before anything is installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** A line of progress. Errors and output go elsewhere, so that it can be told apart. */
export const say = (/** @type {string} */ text) => {
  process.stdout.write(`${text}\n`);
};

/**
 * Ends the script with a sentence instead of a stack.
 * @param {string} text
 * @returns {never}
 */
export const fail = (text) => {
  process.stderr.write(`\n${text}\n`);
  process.exit(1);
};

const homeUsable = () => {
  try {
    const home = homedir();
    if (!path.isAbsolute(home)) return false;
    accessSync(home, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/**
 * The environment for child processes. Package managers and browsers insist on a home to keep caches in; where
 * there is none, a folder of the repository stands in.
 */
export const childEnv = () => {
  const env = { ...process.env };
  if (!homeUsable()) {
    env['HOME'] = path.join(ROOT, '.cache', 'home');
    env['npm_config_cache'] = path.join(ROOT, '.cache', 'npm');
    mkdirSync(env['HOME'], { recursive: true });
  }
  return env;
};

/**
 * Runs a program and keeps what it says.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: boolean, minutes?: number }} [options]
 *   `show` lets it speak for itself; it is killed after so many `minutes`
 * @returns {Promise<{ code: number, output: string }>} a program that cannot be started has code 127
 */
export const run = (command, args, { cwd = ROOT, env = childEnv(), show = false, minutes = 60 } = {}) =>
  new Promise((resolve) => {
    let output = '';
    const plain = process.stdout.isTTY || env['FORCE_COLOR'] ? {} : { NO_COLOR: '1' };
    const child = spawn(command, args, {
      cwd,
      env: { ...env, ...plain },
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    const limit = setTimeout(() => child.kill('SIGKILL'), minutes * 60_000);
    child.stdout?.on('data', (/** @type {Buffer} */ data) => (output += data.toString()));
    child.stderr?.on('data', (/** @type {Buffer} */ data) => (output += data.toString()));
    child.on('error', (error) => resolve({ code: 127, output: `${output}${error.message}\n` }));
    /** @param {number | null} code @param {NodeJS.Signals | null} signal */
    const end = (code, signal) => {
      clearTimeout(limit);
      resolve({ code: code ?? 1, output: signal ? `${output}ended by ${signal}\n` : output });
    };
    child.on('close', end);
    // A process that was left behind may hold the pipes open for ever.
    child.on('exit', (code, signal) => setTimeout(end, 2000, code, signal).unref());
  });

/**
 * Runs a program, silent unless it fails; then the script ends with all that it said.
 * @param {string} what for the message, "could not {what}"
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export const must = async (what, command, args, options) => {
  const { code, output } = await run(command, args, options);
  if (code !== 0) fail(`${output}\nCould not ${what} (exit code ${code}): ${[command, ...args].join(' ')}`);
};

const SKIP = new Set(['node_modules', 'dist', 'generated', '.cache', 'test-results']);

/**
 * @param {string} entry a file or a folder, absolute
 * @param {(file: string, stat: import('node:fs').Stats) => void} visit
 */
const walk = (entry, visit) => {
  const stat = statSync(entry, { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isDirectory()) visit(entry, stat);
  else
    for (const name of readdirSync(entry).toSorted())
      if (!SKIP.has(name)) walk(path.join(entry, name), visit);
};

/**
 * A fingerprint of files by path, size and time of change: no content is read, so it costs milliseconds.
 * @param {readonly string[]} entries relative to the root
 */
export const fingerprint = (entries) => {
  const hash = createHash('sha256').update(process.version);
  for (const entry of entries)
    walk(path.join(ROOT, entry), (file, stat) =>
      hash.update(`${path.relative(ROOT, file)}\0${stat.size}\0${stat.mtimeMs}\n`),
    );
  return hash.digest('hex');
};

/**
 * A file that remembers the state after which a step last succeeded.
 * @param {string} file relative to the root
 */
export const stamp = (file) => {
  const full = path.join(ROOT, file);
  return {
    /** @param {string} state */
    matches: (state) => existsSync(full) && readFileSync(full, 'utf8') === state,
    /** @param {string} state */
    write: (state) => {
      mkdirSync(path.dirname(full), { recursive: true });
      writeFileSync(full, state);
    },
  };
};

/**
 * Starts a program as the leader of a process group of its own, so that a Ctrl-C in the terminal reaches it only
 * through us, once: npm passes the signal on as well.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export const spawnGroup = (command, args, options) => {
  const child = spawn(command, args, { cwd: ROOT, ...options, detached: true });
  /** @param {NodeJS.Signals} signal */
  const kill = (signal) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It ended between the check and the signal.
    }
  };
  return { child, kill };
};

/**
 * Calls back for each request to end, but once for a signal that arrives twice at a time.
 * @param {(signal: NodeJS.Signals) => void} listener
 */
export const onEndSignal = (listener) => {
  let last = 0;
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => {
      if (Date.now() - last < 1000) return;
      last = Date.now();
      listener(signal);
    });
};
