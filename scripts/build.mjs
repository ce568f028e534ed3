// Builds the web app and the relay, each only when something that it is made of has changed.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, fingerprint, must, say, stamp } from './lib.mjs';

const COMMON = [
  'packages',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'tsconfig.base.json',
  'scripts/build.mjs',
];

const SIDES = [
  { name: 'web app', folder: 'apps/web', product: 'dist/index.html', sources: ['apps/web', ...COMMON] },
  {
    name: 'relay',
    folder: 'apps/relay',
    product: 'dist/main.js',
    sources: ['apps/relay', 'prisma', ...COMMON],
  },
];

export const RELAY_MAIN = path.join(ROOT, 'apps', 'relay', 'dist', 'main.js');

/** @param {{ name: string, folder: string, product: string, sources: string[], script?: string }} side */
const bring = async ({ name, folder, product, sources, script = 'build' }) => {
  const state = fingerprint(sources);
  const built = stamp(`${folder}/node_modules/.sotto-built-${script}`);
  if (built.matches(state) && existsSync(path.join(ROOT, folder, product))) return;
  say(`Building the ${name} …`);
  await must(`build the ${name}`, 'npm', ['run', '--silent', script], { cwd: path.join(ROOT, folder) });
  built.write(state);
};

/** Brings both `dist` folders up to date. */
export const build = async () => {
  for (const side of SIDES) await bring(side);
};

/** Brings the Storybook of the components up to date. */
const buildStories = () =>
  bring({
    name: 'stories',
    folder: 'apps/web',
    script: 'stories',
    product: '../../test-results/storybook/index.json',
    sources: ['apps/web', ...COMMON],
  });

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await (process.argv[2] === 'stories' ? buildStories() : build());
