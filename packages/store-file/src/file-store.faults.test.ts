import { type FileHandle, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store, Write } from '@sotto/engine/ports';
import { refuses } from '@sotto/store-memory/check';
import { message, put } from '@sotto/store-memory/store-case';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openDatabase } from './database.ts';
import { createFileDisk, type FileDisk, type FileOptions } from './file-store.ts';

let folder: string;
let count = 0;
let handles: FileHandle;
const opened: Store[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-store-'));
  const handle = await open(folder);
  handles = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const store of opened.splice(0)) store.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const newPath = (): string => join(folder, `store-${++count}`);
const seen = (envelope: string, at = 1): Write => ({ table: 'seen', put: { envelope, at } });

const openAt = async (path: string, options?: Partial<FileOptions>): Promise<Store> => {
  const store = await createFileDisk({ path, ...options }).open();
  opened.push(store);
  return store;
};

const names = async (store: Store): Promise<string[]> =>
  (await store.all('seen')).map(({ envelope }) => envelope);

const systemError = (code: string) => Object.assign(new Error(code), { code });
const fails = (method: 'write' | 'datasync' | 'sync' | 'truncate', code: string) =>
  vi.spyOn(handles, method).mockRejectedValueOnce(systemError(code));

/** Writes half of what it is given, then there is no room. */
const fillsUp = () => {
  const real = handles.write as (...args: unknown[]) => Promise<never>;
  let calls = 0;
  return vi.spyOn(handles, 'write').mockImplementation(async function (
    this: FileHandle,
    bytes: Uint8Array,
    offset: number,
    length: number,
    at: number,
  ) {
    calls += 1;
    if (calls > 1) throw systemError('ENOSPC');
    return real.call(this, bytes, offset, length >> 1, at);
  } as unknown as FileHandle['write']);
};

const rowsOf = (number: number, length = 10): Write[] =>
  Array.from({ length }, (_, i) => put(message(number, `m${i}`, { text: 'x'.repeat(10_000) })));

/** The size of the file once everything that was begun is done. */
const sizeOf = async (path: string, disk: FileDisk): Promise<number> => {
  (await disk.reader()).close();
  return (await stat(path)).size;
};

describe('a store in a file', () => {
  it('says that there is no room, keeps nothing of that commit, and takes the next', async () => {
    const path = newPath();
    const store = await openAt(path);
    await store.commit([seen('first')]);
    const before = await readFile(path);
    fillsUp();
    await refuses(store.commit([seen('half'), ...rowsOf(1)]), 'full');
    vi.restoreAllMocks();
    expect(await readFile(path)).toEqual(before);
    fails('datasync', 'EDQUOT');
    await refuses(store.commit([seen('not on the disk')]), 'full');
    expect(await readFile(path)).toEqual(before);
    expect(await names(store)).toEqual(['first']);
    await store.commit([seen('next')]);
    store.close();
    expect(await names(await openAt(path))).toEqual(['first', 'next']);
  });

  it('writes nothing more when it does not know what is on the disk', async () => {
    const path = newPath();
    const store = await openAt(path);
    await store.commit([seen('first')]);
    fails('datasync', 'EIO');
    fails('truncate', 'EIO');
    await refuses(store.commit([seen('half')]), 'failed');
    await refuses(store.commit([seen('next')]), 'failed');
    expect(await names(store)).toEqual(['first']);
    store.close();
    await (await openAt(path)).commit([seen('after')]);
  });

  it('is written anew when over half of it is garbage', async () => {
    const path = newPath();
    const disk = createFileDisk({ path });
    const store = await disk.open();
    const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, [
      'deriveBits',
    ]);
    const vault = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']);
    await store.commit([seen('kept'), { table: 'vault', put: { id: 1, key: vault } }]);
    await store.commit([{ table: 'vault', put: { id: 2, key: pair.privateKey } }, ...rowsOf(0)]);
    for (let number = 1; number < 30; number += 1) await store.commit(rowsOf(number));
    expect(await sizeOf(path, disk)).toBeLessThan(500_000);
    await store.commit([{ table: 'message', remove: ['ann', 'm0'] }]);
    store.close();
    const again = await openAt(path);
    expect((await again.all('message')).map(({ order }) => order)).toEqual(
      Array.from({ length: 9 }, () => 29),
    );
    expect(await names(again)).toEqual(['kept']);
    const keys = (await again.all('vault')).map(({ key }) => [key.type, key.extractable, key.usages]);
    expect(keys).toEqual([
      ['secret', false, ['encrypt']],
      ['private', false, ['deriveBits']],
    ]);
    expect(again.generation).toBe(2);
  });

  it('goes on with the old file when there is no room for a new one', async () => {
    const path = newPath();
    const disk = createFileDisk({ path });
    const store = await disk.open();
    const real = handles.sync;
    // Of a new file and of its folder alone: a commit waits for its data.
    const sync = vi.spyOn(handles, 'sync').mockRejectedValue(systemError('ENOSPC'));
    for (let number = 0; number < 12; number += 1) await store.commit(rowsOf(number));
    await sizeOf(path, disk);
    expect(sync.mock.calls.length).toBeGreaterThan(0);
    // Not at every commit that follows.
    expect(sync.mock.calls.length).toBeLessThan(5);
    expect((await stat(path)).size).toBeGreaterThan(1_000_000);
    sync.mockImplementation(real);
    for (let number = 12; number < 30; number += 1) await store.commit(rowsOf(number));
    expect(await sizeOf(path, disk)).toBeLessThan(1_000_000);
    store.close();
    expect((await (await openAt(path)).get('message', ['ann', 'm0']))?.order).toBe(29);
  });

  it('F15 knows how often it was opened after it was written anew', async () => {
    const path = newPath();
    const secret = { keyFile: `${path}.key` };
    const first = await openDatabase(path, secret);
    await first.begin();
    await first.begin();
    await first.compact();
    await first.close();
    const next = await openDatabase(path, secret);
    expect(next.generation).toBe(2);
    await next.close();
  });

  it('does not spend what a changed header asks for', async () => {
    const path = newPath();
    (await openAt(path)).close();
    const bytes = await readFile(path);
    bytes[8] = 30;
    await writeFile(path, bytes);
    await refuses(openAt(path, { passphrase: 'ann' }), 'sealed');
  });

  it('opens by its passphrase alone', async () => {
    const path = newPath();
    const store = await openAt(path, { passphrase: 'ann\u00e9' });
    await store.commit([seen('first')]);
    store.close();
    await refuses(openAt(path, { passphrase: 'bob' }), 'sealed');
    await refuses(openAt(path), 'sealed');
    expect(await names(await openAt(path, { passphrase: 'anne\u0301' }))).toEqual(['first']);
    await expect(stat(`${path}.key`)).rejects.toThrow('ENOENT');
  });

  it('does not open without its key, and makes no other', async () => {
    const path = newPath();
    const store = await openAt(path);
    await store.commit([seen('first')]);
    store.close();
    await refuses(openAt(path, { passphrase: 'ann' }), 'sealed');
    await refuses(openAt(path, { keyFile: `${path}.other` }), 'sealed');
    await expect(stat(`${path}.other`)).rejects.toThrow('ENOENT');
    await writeFile(`${path}.key`, Buffer.alloc(32));
    await refuses(openAt(path), 'sealed');
  });

  it('is for its owner alone, and shows nothing of what is in it', async () => {
    const path = newPath();
    const store = await openAt(path);
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
    await store.commit([put(message(1, 'm', { text: 'a secret' })), { table: 'vault', put: { id: 1, key } }]);
    for (const file of [path, `${path}.key`]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    const bytes = await readFile(path);
    expect(bytes.includes('a secret') || bytes.includes('conversation')).toBe(false);
    expect(bytes.includes(Buffer.from(await crypto.subtle.exportKey('raw', key)))).toBe(false);
  });

  it('notices records that were taken out, moved, or put in from another file', async () => {
    const path = newPath();
    const store = await openAt(path);
    const ends = [(await stat(path)).size];
    for (const name of ['a', 'b', 'c']) {
      await store.commit([seen(name)]);
      ends.push((await stat(path)).size);
    }
    store.close();
    const bytes = await readFile(path);
    const [a, b, c] = [0, 1, 2].map((i) => bytes.subarray(ends[i], ends[i + 1]));
    const head = bytes.subarray(0, ends[0]);
    const header = Buffer.from(head);
    header[40]! ^= 1;
    const wrong = [
      [head, b, c],
      [head, a, c, b],
      [head, a, a],
      [header, a, b, c],
    ];
    for (const parts of wrong) {
      const copy = newPath();
      await writeFile(copy, Buffer.concat(parts as Buffer[]));
      await refuses(openAt(copy, { keyFile: `${path}.key` }), 'sealed');
    }
  });

  it('does not open what is not a store, or of a later version', async () => {
    const path = newPath();
    for (const bytes of ['', 'sottost', 'x'.repeat(100)]) {
      await writeFile(path, bytes);
      await refuses(openAt(path), 'failed');
    }
    await writeFile(path, Buffer.concat([Buffer.from('sottost\u0002'), Buffer.alloc(40)]));
    await refuses(openAt(path), 'newer');
    await refuses(openAt(join(folder, 'no', 'store')), 'failed');
  });

  it('says that it is gone when it was deleted', async () => {
    const path = newPath();
    const store = await openAt(path);
    await rm(path);
    await refuses(store.commit([seen('a')]), 'closed');
  });
});
