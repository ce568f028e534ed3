// `npm run bench -- app [--json] [--only talk,large,scripts,lighthouse] [--keep <folder>] [--profile]`: what a person waits for.
// Run by scripts/bench.mjs.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RelayProcess } from '../e2e/fixtures/relay.ts';
import { pageScripts, serviceWorker, weight, workerScripts } from '../e2e/pages/bundles.ts';
import { build } from '../scripts/build.mjs';
import { startBare } from './app/bare.ts';
import { large } from './app/large.ts';
import { scores } from './app/scores.ts';
import { talk } from './app/talk.ts';
import { launch } from './chromium.ts';
import { openLab } from './engine/lab.ts';
import { atMost, type Figure, printFigures } from './relay/figures.ts';

const SIZE = { conversations: 500, messages: 100_000 };
const PARTS = ['talk', 'large', 'scripts', 'lighthouse'] as const;

const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const only = option('--only')?.split(',') ?? [...PARTS];
const has = (part: (typeof PARTS)[number]): boolean => only.includes(part);
const json = process.argv.includes('--json');
const isProfiled = process.argv.includes('--profile');

const say = (text: string): void => {
  if (!json) console.error(text);
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

const scripts = (): Figure[] =>
  [
    { name: 'page, to the list', files: pageScripts(), most: 140 },
    { name: 'engine worker', files: workerScripts(), most: 70 },
    { name: 'service worker', files: [serviceWorker], most: 60 },
  ].map(({ name, files, most }) => ({
    name: `scripts, gzip: ${name}`,
    value: weight(files) / 1000,
    unit: 'kB',
    goal: atMost('value', most),
  }));

/** Somebody who comes for the first time. */
const firstVisit = async (): Promise<Figure[]> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sotto-bench-'));
  const relay = await RelayProcess.prepare();
  const port = await freePort();
  try {
    await relay.start();
    const browser = await launch(folder, { args: [`--remote-debugging-port=${port}`] });
    try {
      return await scores('first visit', relay.invite, port, say);
    } finally {
      await browser.close();
    }
  } finally {
    await relay.dispose();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
};

const withMessages = async (): Promise<Figure[]> => {
  const port = await freePort();
  const lab = await openLab(SIZE, {
    keep: option('--keep'),
    probe: 'bench/app/probe.ts',
    browser: { args: [`--remote-debugging-port=${port}`] },
  });
  const bare = await startBare();
  try {
    return [
      ...(has('large') ? await large(lab, bare.url, isProfiled) : []),
      ...(has('lighthouse') ? await scores('100,000 messages', lab.origin, port, say) : []),
    ];
  } finally {
    await bare.close();
    await lab.close();
  }
};

await build();
const figures: Figure[] = [];
if (has('scripts')) figures.push(...scripts());
if (has('talk')) figures.push(...(await talk(say)));
if (has('lighthouse')) figures.push(...(await firstVisit()));
if (has('large') || has('lighthouse')) figures.push(...(await withMessages()));
printFigures(figures, json, 'app');
