// Finds, or installs, the tools that the tests need and npm does not bring: browsers, Redis and Spin.
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { childEnv, fail, ROOT, run, say } from './lib.mjs';

/**
 * @typedef {object} Browser
 * @property {string | undefined} executablePath undefined: the one that Playwright manages
 * @property {string[]} args
 */

const isRoot = () => process.getuid?.() === 0;

/** @param {string} file */
const executable = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
};

/** @param {string} name */
const onPath = (name) =>
  (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter(Boolean)
    .map((folder) => path.join(folder, name))
    .find(executable);

/**
 * A browser of the system phones home unless told not to, and as root it does not start with its sandbox.
 * @param {string} executablePath
 * @returns {Browser}
 */
const systemBrowser = (executablePath) => ({
  executablePath,
  args: [
    ...(isRoot() ? ['--no-sandbox'] : []),
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

/** @returns {Browser | undefined} */
export const findChromium = () => {
  const named = process.env['CHROMIUM_PATH'];
  if (named) {
    if (!executable(named)) fail(`CHROMIUM_PATH names ${named}, which cannot be run.`);
    return systemBrowser(named);
  }
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    const found = onPath(name);
    if (found) return systemBrowser(found);
  }
  /** @type {typeof import('@playwright/test')} */
  const { chromium } = createRequire(import.meta.url)('@playwright/test');
  return existsSync(chromium.executablePath()) ? { executablePath: undefined, args: [] } : undefined;
};

/** @returns {string | undefined} */
export const findFirefox = () => onPath('firefox-esr') ?? onPath('firefox');

const MINI_BROWSERS = ['4.1', '6.0'].flatMap((version) =>
  ['x86_64-linux-gnu/', 'aarch64-linux-gnu/', ''].map(
    (triple) => `/usr/lib/${triple}webkit2gtk-${version}/MiniBrowser`,
  ),
);

/** @returns {{ driver: string, browser: string } | undefined} */
export const findWebKit = () => {
  const driver = onPath('WebKitWebDriver');
  const browser = MINI_BROWSERS.find(executable);
  return driver && browser ? { driver, browser } : undefined;
};

const isDebian = () => {
  try {
    return /^ID(?:_LIKE)?=.*(?:debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
};

/**
 * How to run a command as root without being asked for anything.
 * @returns {Promise<string[] | undefined>} what to put in front of it
 */
const asRoot = async () => {
  if (isRoot()) return [];
  return (await run('sudo', ['-n', 'true'])).code === 0 ? ['sudo', '-n'] : undefined;
};

/**
 * @param {string} name of the Debian package
 * @returns {Promise<string>} what went wrong; empty when it is there
 */
const installPackage = async (name) => {
  if (!isDebian() || !onPath('apt-get')) return 'this is not a system with Debian packages';
  const prefix = await asRoot();
  if (!prefix) return 'installing a Debian package needs root or sudo without a password';
  const env = { ...childEnv(), DEBIAN_FRONTEND: 'noninteractive' };
  let output = '';
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', name]]) {
    const [command = '', ...rest] = [...prefix, 'apt-get', '-q', ...args];
    const result = await run(command, rest, { env });
    output = result.output.trim().split('\n').slice(-5).join('\n');
    // A failed update may still leave lists that know the package.
    if (result.code !== 0 && args[0] === 'install') return output;
  }
  return '';
};

/** @returns {Promise<Browser>} */
const ensureChromium = async () => {
  const there = findChromium();
  if (there) return there;

  say('Installing Chromium …');
  const apt = await installPackage('chromium');
  if (apt === '') {
    const installed = findChromium();
    if (installed) return installed;
  }
  const cli = path.join(ROOT, 'node_modules', '@playwright', 'test', 'cli.js');
  const download = await run(process.execPath, [cli, 'install', 'chromium']);
  const downloaded = findChromium();
  if (downloaded) return downloaded;

  return fail(
    [
      'The browser tests need Chromium, and there is none.',
      `  Debian package: ${apt || 'installed, but no chromium on PATH'}`,
      `  Playwright's download: ${download.output.split('\n').find((line) => /error|failed/i.test(line)) ?? 'failed'}`,
      'Install Chromium or Chrome so that it is on PATH, or name one in CHROMIUM_PATH.',
    ].join('\n'),
  );
};

/**
 * @param {{ command: string, name: string }[]} programs `name` is of the Debian package
 * @returns {Promise<string>} why they are not there; empty when they are
 */
const ensurePrograms = async (programs) => {
  for (const { command, name } of programs) {
    if (onPath(command)) continue;
    say(`Installing ${name} …`);
    const problem = await installPackage(name);
    if (!onPath(command)) return `there is no \`${command}\` (${problem || `${name} did not bring it`})`;
  }
  return '';
};

/** Spin and a C compiler, which check the models. The tests go on without them. */
export const ensureSpin = () =>
  ensurePrograms([
    { command: 'spin', name: 'spin' },
    { command: 'cc', name: 'gcc' },
  ]);

/** Redis, for the tests of several relays, which fail without it. */
export const ensureRedis = () => ensurePrograms([{ command: 'redis-server', name: 'redis-server' }]);

/** Firefox, whose lane is left out without it. */
export const ensureFirefox = async () =>
  findFirefox() ? '' : ensurePrograms([{ command: 'firefox-esr', name: 'firefox-esr' }]);

/** WebKitGTK with its driver and the display that it insists on; its lane is left out without them. */
export const ensureWebKit = async () => {
  const missing = await ensurePrograms([
    { command: 'WebKitWebDriver', name: 'webkit2gtk-driver' },
    { command: 'Xvfb', name: 'xvfb' },
  ]);
  return missing || (findWebKit() ? '' : 'webkit2gtk-driver came without MiniBrowser');
};

const TOOLS = { chromium: ensureChromium };

/**
 * Makes sure that a tool which the tests need is there, or ends with a message that says what is missing.
 * @param {keyof typeof TOOLS} tool
 */
const ensure = (tool) => TOOLS[tool]();

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await ensure('chromium');
