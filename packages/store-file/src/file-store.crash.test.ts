import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Store, Write } from '@sotto/engine/ports';
import { refuses } from '@sotto/store-memory/check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFileDisk } from './file-store.ts';
import { lockFile } from './lock.ts';

let folder: string;
let count = 0;
const opened: Store[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-store-'));
});
afterEach(() => {
  for (const store of opened.splice(0)) store.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const newPath = (): string => join(folder, `store-${++count}`);
const seen = (envelope: string, at = 1): Write => ({ table: 'seen', put: { envelope, at } });

const openAt = async (path: string): Promise<Store> => {
  const store = await createFileDisk({ path, keyFile: join(folder, 'key') }).open();
  opened.push(store);
  return store;
};

const names = async (store: Store): Promise<string[]> =>
  (await store.all('seen')).map(({ envelope }) => envelope);

/** A process that commits from number `from` on; `line` gives what it prints next. */
const committer = (path: string, from: number) => {
  const script = fileURLToPath(new URL('../test/committer.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, path, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, line: async () => String((await lines.next()).value) };
};

describe('a store in a file survives the end of its process', () => {
  it('cuts off a last record that is not whole, wherever it ends', async () => {
    const path = newPath();
    const store = await openAt(path);
    await store.commit([seen('first')]);
    const start = (await stat(path)).size;
    await store.commit([seen('last')]);
    store.close();
    const bytes = await readFile(path);
    for (let cut = start; cut < bytes.length; cut += 1) {
      // Cut off there, and as a file system leaves it that had only set the length.
      for (const torn of [
        bytes.subarray(0, cut),
        Buffer.concat([bytes.subarray(0, cut), Buffer.alloc(bytes.length - cut)]),
      ]) {
        if (torn.equals(bytes)) continue;
        const copy = newPath();
        await writeFile(copy, torn);
        const again = await openAt(copy);
        expect(await names(again)).toEqual(['first']);
        await again.commit([seen('next')]);
        again.close();
        const kept = await openAt(copy);
        expect(await names(kept)).toEqual(['first', 'next']);
        kept.close();
      }
    }
  }, 60_000);

  it('does not open a file that is damaged elsewhere, and leaves it as it is', async () => {
    const path = newPath();
    const store = await openAt(path);
    await store.commit([seen('first')]);
    const end = (await stat(path)).size;
    await store.commit([seen('last')]);
    store.close();
    const bytes = await readFile(path);
    for (const at of [48, 52, 56, end - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1;
      const copy = newPath();
      await writeFile(copy, damaged);
      await refuses(openAt(copy), 'failed');
      expect(await readFile(copy)).toEqual(damaged);
    }
  });

  it('loses no commit and none by half when it is killed', async () => {
    const path = newPath();
    let from = 0;
    for (let round = 0; round < 6; round += 1) {
      const { child, line } = committer(path, from);
      expect(await line()).toBe('open');
      let last = from - 1;
      // At another point of the commits, and of the file being written anew, each time.
      for (let commits = 0; commits < 5 + round * 7; commits += 1) last = Number(await line());
      setTimeout(() => child.kill('SIGKILL'), round * 3);
      await once(child, 'exit');
      for (let text = await line(); text !== 'undefined'; text = await line()) last = Number(text);

      const store = await createFileDisk({ path }).open();
      const { length } = await store.all('seen');
      expect([last + 1, last + 2]).toContain(length);
      const rows = await store.all('message');
      expect(rows.map(({ order }) => order)).toEqual(Array.from({ length: 10 }, () => length - 1));
      store.close();
      // The next process would be told that it is in use.
      await vi.waitFor(async () => (await lockFile(path))());
      from = length;
    }
    expect((await stat(path)).size).toBeLessThan(2_000_000);
  }, 90_000);

  it('is for one process at a time, until that ends', async () => {
    const path = newPath();
    const first = committer(path, 0);
    expect(await first.line()).toBe('open');
    await refuses(createFileDisk({ path }).open(), 'blocked');
    await refuses(createFileDisk({ path }).reader(), 'blocked');
    const second = committer(path, 0);
    expect(await second.line()).toBe('blocked');
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const store = await createFileDisk({ path }).open();
    expect(await store.count('message')).toBe(10);
    await refuses(createFileDisk({ path }).open(), 'blocked');
    store.close();
  }, 60_000);

  it('is opened anew as soon as it was closed, whatever is still on its way to the disk', async () => {
    const path = newPath();
    for (let round = 0; round < 5; round += 1) {
      const store = await openAt(path);
      expect(await names(store)).toHaveLength(round);
      const kept = store.commit([seen(`round ${round}`)]);
      store.close();
      const again = await openAt(path);
      await kept;
      expect(await names(again)).toHaveLength(round + 1);
      again.close();
    }
  });

  it('F15 writes no more when another has, whom no lock kept out', async () => {
    const path = newPath();
    const store = await openAt(path);
    await store.commit([seen('first')]);
    const elsewhere = newPath();
    await copyFile(path, elsewhere);
    const other = await openAt(elsewhere);
    await other.commit([seen('other')]);
    const bytes = await readFile(elsewhere);
    await writeFile(path, bytes);
    await refuses(store.commit([seen('late')]), 'superseded');
    expect(await readFile(path)).toEqual(bytes);
  });
});
