import { type Store, StoreError, type Write } from '@sotto/engine/ports';
import { KEY_PATHS, type Key, type MessageRow, type Row, type TableName } from '@sotto/engine/rows';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';

type Rows = { [T in TableName]: { key: Key<T>; value: Row<T> } };

interface Schema extends DBSchema, Omit<Rows, 'message'> {
  message: {
    key: Key<'message'>;
    value: MessageRow;
    indexes: { order: [conversation: string, order: number, id: string] };
  };
  /** One row: how often the database has been opened for writing. */
  generation: { key: 'generation'; value: number };
}

const TABLES = Object.keys(KEY_PATHS) as TableName[];

/** What IndexedDB throws, by the names that callers can act on. */
const storeError = (cause: unknown): StoreError => {
  if (cause instanceof StoreError) return cause;
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : '';
  if (name === 'QuotaExceededError') return new StoreError('full', { cause });
  if (name === 'InvalidStateError') return new StoreError('closed', { cause });
  return new StoreError('failed', { cause });
};

const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw storeError(error);
  }
};

const upgrade = (db: IDBPDatabase<Schema>, from: number): void => {
  if (from < 2) {
    // Version 1 had no sessions. It was never released: what it held is not carried over.
    for (const name of db.objectStoreNames) db.deleteObjectStore(name);
    for (const table of TABLES) {
      if (table === 'message') continue;
      const path: string | readonly string[] = KEY_PATHS[table];
      db.createObjectStore(table, { keyPath: typeof path === 'string' ? path : [...path] });
    }
    const messages = db.createObjectStore('message', { keyPath: [...KEY_PATHS.message] });
    messages.createIndex('order', ['conversation', 'order', 'id'], { unique: true });
    db.createObjectStore('generation');
  }
};

/**
 * Opens the store and becomes its only writer. Call it with the store's Web Lock held; the generation that every
 * commit checks stops a holder that was frozen while its lock was stolen.
 *
 * @throws StoreError
 */
export const openStore = async (name = 'sotto'): Promise<Store> => {
  let closed = false;
  const db = await guarded(() =>
    openDB<Schema>(name, 2, {
      upgrade,
      blocking: () => db.close(),
      terminated: () => {
        closed = true;
      },
    }),
  );
  const mine = await guarded(async () => {
    const tx = db.transaction('generation', 'readwrite', { durability: 'strict' });
    const next = ((await tx.store.get('generation')) ?? 0) + 1;
    await tx.store.put(next, 'generation');
    await tx.done;
    return next;
  });

  const check = (): void => {
    if (closed) throw new StoreError('closed');
  };

  /** Nothing but requests of this transaction is awaited in here: it would end by itself. */
  const write = async (writes: readonly Write[]): Promise<void> => {
    check();
    const tables = new Set<TableName | 'generation'>(['generation', ...writes.map(({ table }) => table)]);
    const tx = db.transaction([...tables], 'readwrite', { durability: 'strict' });
    const done = tx.done.catch((error: unknown) => error);
    try {
      if ((await tx.objectStore('generation').get('generation')) !== mine) throw new StoreError('superseded');
      for (const change of writes) {
        const rows = tx.objectStore(change.table);
        // The transaction's own end tells of a failed request; unheard here, it would be an unhandled rejection.
        const request = 'put' in change ? rows.put(change.put) : rows.delete(change.remove);
        request.catch(() => undefined);
      }
    } catch (error) {
      tx.abort();
      await done;
      throw error;
    }
    const failed = await done;
    if (failed !== undefined) throw failed as Error;
  };

  return {
    get: (table, key) =>
      guarded(async () => {
        check();
        return (await db.get(table, key)) as Row<typeof table> | undefined;
      }),
    all: (table) =>
      guarded(async () => {
        check();
        return (await db.getAll(table)) as Row<typeof table>[];
      }),
    messages: (conversation, { before, limit }) =>
      guarded(async () => {
        check();
        const low = [conversation, Number.NEGATIVE_INFINITY, ''];
        const high = before
          ? [conversation, before.order, before.id]
          : [conversation, Number.POSITIVE_INFINITY, ''];
        const range = IDBKeyRange.bound(low, high, false, true);
        const rows: MessageRow[] = [];
        let cursor = await db.transaction('message').store.index('order').openCursor(range, 'prev');
        while (cursor && rows.length < limit) {
          rows.push(cursor.value);
          cursor = await cursor.continue();
        }
        return rows;
      }),
    commit: (writes) => guarded(() => write(writes)),
    close() {
      closed = true;
      db.close();
    },
  };
};
