// Runs before every command: installs what the lockfile names and makes the Prisma client, if that is not done yet.
// Only built-in modules, and syntax that an old Node parses, so that it can say which Node is needed.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Sotto needs Node 20.19 or newer; this is ${process.version}. See https://nodejs.org`);
  process.exit(1);
}

const { createHash } = await import('node:crypto');
const { existsSync, readFileSync, readdirSync } = await import('node:fs');
const { default: path } = await import('node:path');
const { ROOT, must, say, stamp } = await import('./lib.mjs');

// What reads the last line of `npm test` finds it here too.
if (process.env['npm_lifecycle_event'] === 'pretest')
  process.on('exit', (code) => {
    if (code !== 0) say('0 passed, 1 failed');
  });

const PNPM = 'pnpm@10.34.9';

/** Every package with dependencies has its folder of links: an install that was cut short lacks some. */
const complete = () =>
  existsSync(path.join(ROOT, 'node_modules', '.modules.yaml')) &&
  ['apps', 'examples', 'packages'].every((group) =>
    readdirSync(path.join(ROOT, group)).every((name) => {
      const folder = path.join(ROOT, group, name);
      const manifest = path.join(folder, 'package.json');
      if (!existsSync(manifest)) return true;
      const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8'));
      const some = Object.keys({ ...dependencies, ...devDependencies }).length > 0;
      return !some || existsSync(path.join(folder, 'node_modules'));
    }),
  );

const installed = stamp('node_modules/.sotto-installed');
const state = createHash('sha256')
  .update(`${PNPM} ${process.platform} ${process.arch}\n`)
  .update(readFileSync(path.join(ROOT, 'pnpm-lock.yaml')))
  .update(readFileSync(path.join(ROOT, 'pnpm-workspace.yaml')))
  .digest('hex');

if (!installed.matches(state) || !complete()) {
  say('Installing dependencies …');
  await must('install the dependencies', 'npx', [
    '-y',
    '--prefer-offline',
    PNPM,
    'install',
    '--frozen-lockfile',
    '--prefer-offline',
    '--config.confirm-modules-purge=false',
  ]);
  installed.write(state);
}

const generate = path.join(ROOT, 'apps', 'relay', 'generate.mjs');
if (existsSync(generate)) await must('make the Prisma client', process.execPath, [generate]);
