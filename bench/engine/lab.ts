// A relay with the built app, and a Chromium with a profile on disk that has an account and its messages.
import type { Page } from '@playwright/test';
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { readConfig } from '../../apps/relay/src/config.ts';
import { createRelay, type Relay } from '../../apps/relay/src/relay.ts';
import { UNLIMITED } from '../../apps/relay/src/services/limits.ts';
import { bundle } from '../../e2e/crypto/lab.ts';
import { parseLink } from '../../packages/contract/src/link.ts';
import { launch, type Launch } from '../chromium.ts';
import type * as inPage from './page.ts';
import type { Probe } from './probe.ts';
import type { Size } from './rows.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Beside the app's own files, under the relay's policy: no inline script. */
const PAGE = 'bench.html';
const HTML =
  '<!doctype html><meta charset="utf-8"><title>lab</title><script type="module" src="/bench.js"></script>';
const SCRIPT = "globalThis.lab = await import('/bundle.js');\ndocument.title = 'ready';\n";

export type InPage = typeof inPage;
type Contact = Awaited<ReturnType<InPage['open']>>;
/** Where bundles put what they offer. */
export type Offers = typeof globalThis & { lab: InPage; probe: Probe };

export interface Lab {
  origin: string;
  /** Of the app's worker script. */
  worker: string;
  contact: Contact;
  /** What filling the store took, in ms; undefined when it was there. */
  filled: Awaited<ReturnType<InPage['fill']>> | undefined;
  invite(): Promise<string>;
  /** Runs something in an empty page of the app's origin. */
  lab<T>(work: (page: Page) => Promise<T>): Promise<T>;
  /** Opens the app in a new page. */
  app<T>(work: (page: Page) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** In a process of its own: the relay's database client leaves a global here that plugins of the build trip over. */
const buildApp = async (folder: string): Promise<void> => {
  const vite = path.join(ROOT, 'node_modules/vite/bin/vite.js');
  const args = ['build', '--logLevel', 'error', '--emptyOutDir', '--outDir', path.join(folder, 'web')];
  await promisify(execFile)(process.execPath, [vite, ...args], {
    cwd: path.join(ROOT, 'apps/web'),
  });
};

/** A page with what page.ts offers, where the relay serves the app from. */
const addPage = async (web: string): Promise<void> => {
  const script = await bundle('bench/engine/page.ts', 'bench-engine');
  copyFileSync(path.join(script, 'bundle.js'), path.join(web, 'bundle.js'));
  writeFileSync(path.join(web, 'bench.js'), SCRIPT);
  writeFileSync(path.join(web, PAGE), HTML);
};

interface State {
  port: number;
  contact?: Contact;
}

interface LabOptions {
  /** A folder that stays, with the account and the messages of the run before. */
  keep?: string | undefined;
  /** What runs in the app's page before its first script. */
  probe?: string;
  browser?: Launch;
}

export const openLab = async (size: Size, options: LabOptions = {}): Promise<Lab> => {
  const { keep } = options;
  const folder = keep ?? mkdtempSync(path.join(tmpdir(), 'sotto-bench-'));
  mkdirSync(folder, { recursive: true });
  const closers: (() => unknown)[] = [];
  if (keep === undefined) closers.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    return await fillLab(folder, size, options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
};

const startRelay = (folder: string, port: number): Promise<Relay> =>
  createRelay({
    ...readConfig({
      SOTTO_DATA: path.join(folder, 'relay'),
      SOTTO_WEB: path.join(folder, 'web'),
      PORT: String(port),
      LOG_LEVEL: 'silent',
    }),
    limits: UNLIMITED,
  });

const fillLab = async (
  folder: string,
  size: Size,
  { probe: script = 'bench/engine/probe.ts', browser = { serviceWorkers: 'block' } }: LabOptions,
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Promise<Lab> => {
  await buildApp(folder);
  await addPage(path.join(folder, 'web'));
  const probe = path.join(await bundle(script, 'bench-probe'), 'bundle.js');
  const file = path.join(folder, 'state.json');
  const state: State = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as State) : { port: 0 };
  const relay = await startRelay(folder, state.port);
  closers.push(() => relay.close());
  const origin = `http://localhost:${relay.port}`;
  const context = await launch(path.join(folder, 'profile'), browser);
  closers.push(() => context.close());

  const withPage = async <T>(work: (page: Page) => Promise<T>): Promise<T> => {
    const page = await context.newPage();
    try {
      return await work(page);
    } finally {
      await page.close();
    }
  };
  const lab: Lab['lab'] = (work) =>
    withPage(async (page) => {
      await page.goto(`${origin}/${PAGE}`);
      await page.waitForFunction(() => document.title === 'ready');
      return work(page);
    });
  let { contact } = state;
  let filled: Lab['filled'];
  if (!contact) {
    const link = parseLink(await relay.createInvite())!;
    contact = await lab(async (page) => {
      const made = await page.evaluate((from) => (globalThis as Offers).lab.open(from), link);
      await page.evaluate(() => (globalThis as Offers).lab.close());
      return made;
    });
    filled = await lab((page) => page.evaluate((of) => (globalThis as Offers).lab.fill(of), size));
    writeFileSync(file, JSON.stringify({ port: relay.port, contact } satisfies State), { mode: 0o600 });
  }
  const assets = readdirSync(path.join(folder, 'web', 'assets'));
  return {
    origin,
    worker: `/assets/${assets.find((name) => /^engine-worker-.*\.js$/.test(name))}`,
    contact,
    filled,
    invite: () => relay.createInvite(),
    lab,
    app: (work) =>
      withPage(async (page) => {
        await page.addInitScript({ path: probe });
        return work(page);
      }),
    close,
  };
};
