import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runStoreCase, STORE_CASES } from '@sotto/store-memory/store-suite';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { createFileDisk } from './file-store.ts';

let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-store-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the store in a file keeps the promises of a store', () => {
  for (const entry of STORE_CASES) {
    it(entry.name, () => runStoreCase(entry, createFileDisk({ path: join(folder, `store-${++count}`) })));
  }
});
