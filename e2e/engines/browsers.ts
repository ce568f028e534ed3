import { chromium } from '@playwright/test';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { findChromium, findFirefox, findWebKit } from '../../scripts/browser.mjs';

export type Engine = 'chromium' | 'firefox' | 'webkitgtk';

/** A program that leads a process group of its own. */
export class Running {
  readonly child: ChildProcess;
  /** What it has said so far. */
  output = '';

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(command, args, {
      detached: true,
      // The fourth is for what says there which display or port it took.
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    for (const stream of this.child.stdio.slice(1) as Readable[])
      stream.on('data', (data: Buffer) => {
        this.output += data.toString();
      });
    this.child.once('error', (error) => {
      this.output += error.message;
    });
    // Nobody is left to end it otherwise.
    const end = () => this.#signal('SIGKILL');
    process.once('exit', end);
    this.child.once('exit', () => process.off('exit', end));
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined;
  }

  /** What it says that matches, as soon as it does. */
  async says(pattern: RegExp, ms = 30_000): Promise<RegExpExecArray> {
    const end = Date.now() + ms;
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      if (this.ended || Date.now() > end)
        throw new Error(`${this.child.spawnfile} did not say ${String(pattern)}:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** Ends it and all that it started; by force when it does not within ten seconds. */
  async end(): Promise<void> {
    if (this.ended) return;
    const exit = once(this.child, 'exit');
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), 10_000);
    await exit;
    clearTimeout(timer);
    this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.child.pid!, signal);
    } catch {
      // Nothing of it is left.
    }
  }
}

/** So that Firefox asks nothing, reports nothing and fetches nothing of its own. */
const FIREFOX_PREFERENCES = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.aboutwelcome.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.reportingpolicy.firstRun': false,
  'ui.prefersReducedMotion': 1,
};

/** A folder that a browser keeps everything in. */
export class Profile {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Profile> {
    const folder = await mkdtemp(path.join(tmpdir(), 'sotto-engine-'));
    const lines = Object.entries(FIREFOX_PREFERENCES).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    );
    await writeFile(path.join(folder, 'user.js'), lines.join('\n'));
    await mkdir(path.join(folder, 'run'), { mode: 0o700 });
    return new Profile(folder);
  }

  /** For WebKitGTK, which knows no profiles: a home of its own. */
  home(display: string): NodeJS.ProcessEnv {
    const within = (name: string) => path.join(this.folder, name);
    return {
      DISPLAY: display,
      HOME: this.folder,
      XDG_DATA_HOME: within('data'),
      XDG_CACHE_HOME: within('cache'),
      XDG_CONFIG_HOME: within('config'),
      XDG_RUNTIME_DIR: within('run'),
      // Without a session bus there is no accessibility to ask, nor a desktop's settings.
      NO_AT_BRIDGE: '1',
      GSETTINGS_BACKEND: 'memory',
    };
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** A screen that nobody sees, for a browser that cannot do without. */
export const startDisplay = async (): Promise<{ name: string; end: () => Promise<void> }> => {
  const server = new Running('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x900x24', '-nolisten', 'tcp']);
  const [, number] = await server.says(/^(\d+)\n/m);
  return { name: `:${number}`, end: () => server.end() };
};

const needed = <T>(found: T | undefined, what: string): T => {
  if (found === undefined)
    throw new Error(`${what} is not installed; \`npm run e2e\` installs it where it may.`);
  return found;
};

/** WebKitGTK's small browser, and what drives it. */
export const webKit = () => needed(findWebKit(), 'WebKitGTK with its driver');

export const startFirefox = (profile: Profile, ...args: readonly string[]): Running =>
  new Running(
    needed(findFirefox(), 'Firefox'),
    ['--headless', '--no-remote', '--profile', profile.folder, ...args],
    {
      MOZ_CRASHREPORTER_DISABLE: '1',
    },
  );

/** As a person would start it, with an address: nothing drives it. */
export const startBrowser = (engine: Engine, profile: Profile, url: string, display: string): Running => {
  if (engine === 'firefox') return startFirefox(profile, url);
  if (engine === 'webkitgtk') return new Running(webKit().browser, [url], profile.home(display));
  const found = needed(findChromium(), 'Chromium');
  return new Running(found.executablePath ?? chromium.executablePath(), [
    '--headless',
    ...found.args,
    `--user-data-dir=${profile.folder}`,
    url,
  ]);
};
