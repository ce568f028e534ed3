import {
  type MessagePage,
  type MessageQuery,
  planMessages,
  type Reader,
  type Store,
  StoreError,
  type Write,
} from '@sotto/engine/ports';
import type { Dated, Key, MessageRow, Row, TableName } from '@sotto/engine/rows';
import { openDB } from 'idb';
import { type Database, type Schema, upgrade, VERSION } from './schema.ts';

/** A tab of an older version that is asked to let go may have a transaction to end first. */
const BLOCKED_MS = 1000;
/** Whoever asks while another waits for that tab stands behind it, and is told of nothing. */
const OPEN_MS = 15_000;

export interface OpenOptions {
  /** The database. */
  name?: string;
  /** The browser took the database away, or a newer version of the app wants it: everything is `closed` from now on. */
  onLost?: () => void;
}

const NAMES: Record<string, StoreError['code']> = {
  QuotaExceededError: 'full',
  InvalidStateError: 'closed',
  VersionError: 'newer',
};

/** What IndexedDB throws, by the names that callers can act on. */
const storeError = (cause: unknown): StoreError => {
  if (cause instanceof StoreError) return cause;
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : '';
  return new StoreError(NAMES[name] ?? 'failed', { cause });
};

const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw storeError(error);
  }
};

interface Connection {
  /** Throws `closed` once it is. */
  db(): Database;
  close(): void;
}

const connect = (name: string, onLost?: () => void): Promise<Connection> =>
  new Promise((resolve, reject) => {
    let closed = false;
    let given = false;
    const lose = () => {
      if (closed) return;
      closed = true;
      onLost?.();
    };
    const give = (settle: () => void) => {
      if (!given) settle();
      given = true;
      clearTimeout(limit);
    };
    const refuse = (code: StoreError['code']) => give(() => reject(new StoreError(code)));
    const limit = setTimeout(() => refuse('blocked'), OPEN_MS);
    const opening = openDB<Schema>(name, VERSION, {
      upgrade,
      blocked: () => setTimeout(() => refuse('blocked'), BLOCKED_MS),
      // A newer version waits. What is under way here ends first.
      blocking: () => {
        void opening.then((db) => db.close());
        lose();
      },
      terminated: lose,
    });
    opening.then(
      (db) => {
        const close = () => {
          closed = true;
          db.close();
        };
        if (given) close();
        give(() =>
          resolve({
            db() {
              if (closed) throw new StoreError('closed');
              return db;
            },
            close,
          }),
        );
      },
      (error: unknown) => give(() => reject(storeError(error))),
    );
  });

/** Reads one page of an index in three requests, however long the page is. */
const readPage = async (db: Database, query: MessageQuery, page: MessagePage): Promise<MessageRow[]> => {
  const { index: name, prefix, before, after, backwards, limit } = planMessages(query, page);
  if (limit < 1) return [];
  const low = [...prefix, ...(after ?? [])];
  // Among keys, an array stands after every text and number.
  const high = [...prefix, ...(before ?? [[]])];
  const range = IDBKeyRange.bound(low, high, true, true);
  const index = db.transaction('message').store.index(name);
  if (!backwards) return index.getAll(range, limit);
  // `getAll` reads forwards alone: a cursor finds where the page begins.
  const cursor = await index.openKeyCursor(range, 'prev');
  if (!cursor) return [];
  const last = cursor.key;
  const first = limit === 1 ? cursor : await cursor.advance(limit - 1);
  const rows = await index.getAll(first ? IDBKeyRange.bound(first.key, last) : range);
  return rows.toReversed();
};

const createReader = ({ db, close }: Connection): Reader => ({
  get: (table, key) => guarded(async () => (await db().get(table, key)) as Row<typeof table> | undefined),
  all: (table) => guarded(async () => (await db().getAll(table)) as Row<typeof table>[]),
  count: (table) => guarded(() => db().count(table)),
  has: (table, keys) =>
    guarded(async () => {
      const { store } = db().transaction(table);
      const found = await Promise.all(keys.map((key) => store.getKey(key)));
      return found.map((key) => key !== undefined);
    }),
  messages: (query, page) => guarded(() => readPage(db(), query, page)),
  older: (table, before, limit) =>
    guarded(async () => {
      if (limit < 1) return [];
      const range = IDBKeyRange.upperBound(before, true);
      const keys: unknown[] = await db().getAllKeysFromIndex(table as Dated, 'at', range, limit);
      return keys as Key<typeof table>[];
    }),
  close,
});

/** Counts this opening: earlier writers are replaced by it. */
const takeGeneration = async (db: Database): Promise<number> => {
  const tx = db.transaction('generation', 'readwrite', { durability: 'strict' });
  const next = ((await tx.store.get('generation')) ?? 0) + 1;
  await Promise.all([tx.store.put(next, 'generation'), tx.done]);
  return next;
};

/** Nothing but requests of this transaction is awaited in here: it would end by itself. */
const write = async (db: Database, mine: number, writes: readonly Write[]): Promise<void> => {
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
    tx.commit();
  } catch (error) {
    try {
      tx.abort();
    } catch {
      // It has ended already.
    }
    await done;
    throw error;
  }
  const failed = await done;
  if (failed !== undefined) throw failed as Error;
};

/**
 * Opens the store and becomes its only writer. Call it with the store's Web Lock held; the generation that every
 * commit checks stops a holder that was frozen while its lock was stolen.
 *
 * @throws StoreError `blocked` when another tab with an older version does not let go within a second
 */
export const openStore = async ({ name = 'sotto', onLost }: OpenOptions = {}): Promise<Store> => {
  const connection = await connect(name, onLost);
  try {
    const mine = await guarded(() => takeGeneration(connection.db()));
    return {
      ...createReader(connection),
      generation: mine,
      commit: (writes) => guarded(() => write(connection.db(), mine, writes)),
    };
  } catch (error) {
    connection.close();
    throw error;
  }
};

/**
 * Opens the store to read alone: whoever writes goes on.
 *
 * @throws StoreError as openStore
 */
export const openReader = async ({ name = 'sotto', onLost }: OpenOptions = {}): Promise<Reader> =>
  createReader(await connect(name, onLost));
