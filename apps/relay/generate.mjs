// Writes the Prisma client to src/store/generated, unless the one there is of this schema already.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const schema = join(root, 'prisma', 'schema.prisma');
const stamp = join(import.meta.dirname, 'src', 'store', 'generated', 'made-of');
const manifest = createRequire(join(root, 'package.json')).resolve('prisma/package.json');

const state = createHash('sha256').update(readFileSync(manifest)).update(readFileSync(schema)).digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== state) {
  const cli = join(manifest, '..', 'build', 'index.js');
  const { status } = spawnSync(process.execPath, [cli, 'generate', '--schema', schema, '--no-hints'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      // Generating needs no engine, but would download one unless it is told of some file that exists.
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
  });
  if (status !== 0) process.exit(1);
  writeFileSync(stamp, state);
}
