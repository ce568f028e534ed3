import 'fake-indexeddb/auto';
import { type Store, StoreError, type Write } from '@sotto/engine/ports';
import { KEY_PATHS } from '@sotto/engine/rows';
import { forceCloseDatabase } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openReader, openStore } from './open-store.ts';

const seen = (envelope: string): Write => ({ table: 'seen', put: { envelope, at: 1 } });
const message = (id: string): Write => ({
  table: 'message',
  put: { conversation: 'ann', id, order: 1, from: 'ann', device: 'd', sentAt: 1, text: id, status: 'sent' },
});

/** Opens a database as another version of the app would. */
const openVersion = (name: string, version: number, upgrade?: (db: IDBDatabase) => void) =>
  new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.addEventListener('upgradeneeded', () => upgrade?.(request.result));
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error!));
  });

/** The tables of version 2, with a message. */
const upgradeToTwo = (db: IDBDatabase): void => {
  for (const table of ['self', 'contact', 'conversation', 'outbox', 'prekey', 'peer', 'seen', 'aside']) {
    const path: string | readonly string[] = KEY_PATHS[table as keyof typeof KEY_PATHS];
    db.createObjectStore(table, { keyPath: typeof path === 'string' ? path : [...path] });
  }
  const messages = db.createObjectStore('message', { keyPath: ['conversation', 'id'] });
  messages.createIndex('order', ['conversation', 'order', 'id'], { unique: true });
  messages.put({ conversation: 'ann', id: 'old', order: 1, text: 'in the clear' });
  db.createObjectStore('generation').put(7, 'generation');
};

/** The connections that are opened from now on. */
const watch = (): IDBDatabase[] => {
  const connections: IDBDatabase[] = [];
  const open = indexedDB.open.bind(indexedDB);
  vi.spyOn(indexedDB, 'open').mockImplementation((...args) => {
    const request = open(...args);
    request.addEventListener('success', () => connections.push(request.result));
    return request;
  });
  return connections;
};

const until = (test: () => boolean) => vi.waitFor(() => expect(test()).toBe(true), { timeout: 10_000 });

let name = '';
let count = 0;
const opened: { close(): void }[] = [];
const note = <T extends { close(): void }>(what: T): T => {
  opened.push(what);
  return what;
};
beforeEach(() => {
  count += 1;
  name = `trouble-${count}`;
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  for (const store of opened.splice(0)) store.close();
});

describe('another version', () => {
  it('begins anew where version 2 was: nothing of it was sealed, and nothing was released', async () => {
    (await openVersion(name, 2, upgradeToTwo)).close();
    const store = note(await openStore({ name }));
    expect(store.generation).toBe(1);
    for (const table of Object.keys(KEY_PATHS)) expect(await store.all(table as 'seen'), table).toEqual([]);
    await store.commit([message('new'), seen('a')]);
    const rows = await store.messages({ conversation: 'ann' }, { limit: 9 });
    expect(rows.map(({ id }) => id)).toEqual(['new']);
    expect(await store.older('seen', 9, 9)).toEqual(['a']);
  });

  it('keeps every row of its own version', async () => {
    const store = note(await openStore({ name }));
    await store.commit([message('m'), seen('a')]);
    store.close();
    const again = note(await openStore({ name }));
    expect(again.generation).toBe(2);
    expect([await again.count('message'), await again.count('seen')]).toEqual([1, 1]);
  });

  it('says so when an older one does not let go, and takes nothing later', async () => {
    const old = await openVersion(name, 2, upgradeToTwo);
    const late = watch();
    await expect(openStore({ name })).rejects.toMatchObject({ code: 'blocked' });
    // Stands behind the one that still waits, and is told of nothing.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const second = expect(openReader({ name })).rejects.toMatchObject({ code: 'blocked' });
    await vi.advanceTimersByTimeAsync(15_000);
    await second;
    vi.useRealTimers();
    old.close();
    const store = note(await openStore({ name }));
    await store.commit([seen('a')]);
    // What came too late for whoever asked does not stay open.
    expect(late).toHaveLength(3);
    for (const db of late.slice(0, 2)) expect(() => db.transaction('seen')).toThrow();
  });

  it('waits for an older one that has something to end first', async () => {
    const old = await openVersion(name, 2, upgradeToTwo);
    old.addEventListener('versionchange', () => setTimeout(() => old.close(), 50));
    const store = note(await openStore({ name }));
    expect(await store.count('seen')).toBe(0);
  });

  it('lets a newer one in, says that it is lost, and is refused by name from then on', async () => {
    const onLost = vi.fn();
    const store = note(await openStore({ name, onLost }));
    const reader = note(await openReader({ name }));
    const commit = store.commit([message('last'), seen('last')]);
    const newer = note(await openVersion(name, 99));
    await commit;
    expect(onLost).toHaveBeenCalledTimes(1);
    await expect(store.commit([seen('a')])).rejects.toMatchObject({ code: 'closed' });
    await expect(reader.all('seen')).rejects.toMatchObject({ code: 'closed' });
    await expect(openStore({ name })).rejects.toMatchObject({ code: 'newer' });
    await expect(openReader({ name })).rejects.toMatchObject({ code: 'newer' });
    const rows = newer.transaction('seen').objectStore('seen').count();
    await until(() => rows.readyState === 'done');
    expect(rows.result).toBe(1);
  });
});

describe('F14 a database that fails', () => {
  const abortAs = (tx: IDBTransaction, error: string) =>
    (tx as unknown as { _abort(name: string): void })._abort(error);

  /** Ends the transaction that next writes a message, as the browser does: when it is written, or before. */
  const failNext = (how: (tx: IDBTransaction) => void, when?: 'at once'): void => {
    const put = IDBObjectStore.prototype.put;
    let done = false;
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, ...args) {
      const request = put.apply(this, args);
      if (!done && this.name === 'message') {
        done = true;
        if (when) how(this.transaction);
        else request.addEventListener('success', () => how(this.transaction));
      }
      return request;
    });
  };

  const expectNothing = async (store: Store): Promise<void> => {
    expect(await store.all('seen')).toEqual([]);
    expect(await store.messages({ conversation: 'ann' }, { limit: 9 })).toEqual([]);
    await store.commit([seen('a'), message('m')]);
    expect([await store.count('seen'), await store.count('message')]).toEqual([1, 1]);
  };

  it('is `full` when there is no room: nothing half-written, and it goes on when there is', async () => {
    const store = note(await openStore({ name }));
    failNext((tx) => abortAs(tx, 'QuotaExceededError'));
    await expect(store.commit([seen('a'), message('m')])).rejects.toMatchObject({ code: 'full' });
    await expectNothing(store);
  });

  it('is `failed` when the browser aborts', async () => {
    const store = note(await openStore({ name }));
    failNext((tx) => abortAs(tx, 'UnknownError'));
    await expect(store.commit([seen('a'), message('m')])).rejects.toMatchObject({ code: 'failed' });
    await expectNothing(store);
  });

  it('is `full` when a write is refused at once', async () => {
    const store = note(await openStore({ name }));
    const refuse = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementationOnce(() => {
      throw new DOMException('', 'QuotaExceededError');
    });
    await expect(store.commit([message('m'), seen('a')])).rejects.toMatchObject({ code: 'full' });
    refuse.mockRestore();
    await expectNothing(store);
  });

  it('is `closed` when the browser takes it away: told once, and nothing half-written', async () => {
    const connections = watch();
    const onLost = vi.fn();
    const store = note(await openStore({ name, onLost }));
    const take = (tx: IDBTransaction) => {
      abortAs(tx, 'AbortError');
      forceCloseDatabase(connections[0] as never);
    };
    failNext(take, 'at once');
    await expect(store.commit([seen('a'), message('m')])).rejects.toBeInstanceOf(StoreError);
    await until(() => onLost.mock.calls.length > 0);
    await expect(store.commit([seen('b')])).rejects.toMatchObject({ code: 'closed' });
    await expect(store.get('seen', 'a')).rejects.toMatchObject({ code: 'closed' });
    expect(onLost).toHaveBeenCalledTimes(1);
    await expectNothing(note(await openStore({ name })));
  });

  it('leaves no connection behind when it cannot become the writer', async () => {
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementationOnce(() => {
      throw new DOMException('', 'QuotaExceededError');
    });
    const connections = watch();
    await expect(openStore({ name })).rejects.toMatchObject({ code: 'full' });
    expect(connections).toHaveLength(1);
    expect(() => connections[0]!.transaction('seen')).toThrow();
  });

  it('is not told of its own closing', async () => {
    const onLost = vi.fn();
    const store = await openStore({ name, onLost });
    store.close();
    await openVersion(name, 99).then((db) => db.close());
    expect(onLost).not.toHaveBeenCalled();
  });
});

describe('a page of messages', () => {
  it('takes as few requests for many rows as for few', async () => {
    const store = note(await openStore({ name }));
    await store.commit(Array.from({ length: 300 }, (_, i) => message(`m${i}`)));
    const step = vi.spyOn(IDBCursor.prototype, 'continue');
    const all = vi.spyOn(IDBIndex.prototype, 'getAll');
    expect(await store.messages({ conversation: 'ann' }, { limit: 200 })).toHaveLength(200);
    expect([step.mock.calls.length, all.mock.calls.length]).toEqual([0, 1]);
  });
});
