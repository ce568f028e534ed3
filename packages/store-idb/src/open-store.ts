import {
  type MessagePage,
  type MessageQuery,
  planMessages,
  type Reader,
  type Store,
  StoreError,
  type Write,
} from '@sotto/engine/ports';
import {
  type Dated,
  type Key,
  MESSAGE_INDEXES,
  type MessageRow,
  type Row,
  type TableName,
} from '@sotto/engine/rows';
import { openDB, unwrap } from 'idb';
import { type Database, isFull, marksOf, type Schema, upgrade, VERSION } from './schema.ts';

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

type Keys<K extends IDBValidKey> = {
  getAllKeys(range: IDBKeyRange, limit?: number): Promise<unknown[]>;
  openKeyCursor(range: IDBKeyRange, direction: 'prev'): Promise<Cursor<K> | null>;
};
interface Cursor<K extends IDBValidKey> {
  readonly key: K;
  advance(count: number): Promise<Cursor<K> | null>;
}

/** The last `limit` of a range, as a range: `getAll` reads forwards alone, so a cursor finds where they begin. */
const lastOf = async <K extends IDBValidKey>(
  keys: Pick<Keys<K>, 'openKeyCursor'>,
  range: IDBKeyRange,
  limit: number,
): Promise<IDBKeyRange | undefined> => {
  const cursor = await keys.openKeyCursor(range, 'prev');
  if (!cursor) return undefined;
  const last = cursor.key;
  const first = limit === 1 ? cursor : await cursor.advance(limit - 1);
  return first ? IDBKeyRange.bound(first.key, last) : range;
};

/** Reads one page in a few turns, however long it is. */
const readPage = async (db: Database, query: MessageQuery, page: MessagePage): Promise<MessageRow[]> => {
  const { index, prefix, before, after, backwards, limit } = planMessages(query, page);
  if (limit < 1) return [];
  const start = isFull(index) ? prefix : [index, ...prefix];
  const low = [...start, ...(after ?? [])];
  // Among keys, an array stands after every text and number.
  const high = [...start, ...(before ?? [[]])];
  const whole = IDBKeyRange.bound(low, high, true, true);
  if (isFull(index)) {
    const messages = db.transaction('message').store.index(index);
    if (!backwards) return messages.getAll(whole, limit);
    const range = await lastOf(messages, whole, limit);
    return range ? (await messages.getAll(range)).toReversed() : [];
  }
  const tx = db.transaction(['mark', 'message']);
  const marks = tx.objectStore('mark');
  const range = backwards ? await lastOf(marks, whole, limit) : whole;
  const keys = range ? await marks.getAllKeys(range, limit) : [];
  const fields: readonly string[] = MESSAGE_INDEXES[index];
  const [conversation, id] = [fields.indexOf('conversation') + 1, fields.indexOf('id') + 1];
  const messages = tx.objectStore('message');
  const rows = await Promise.all(
    keys.map((key) => messages.get([key[conversation] as string, key[id] as string])),
  );
  return (backwards ? rows.toReversed() : rows) as MessageRow[];
};

/** What many requests of one transaction come to: a listener for each would cost as much as the request. */
const resultsOf = async <T>(
  done: Promise<void>,
  keys: readonly unknown[],
  ask: (key: IDBValidKey) => IDBRequest<T>,
): Promise<T[]> => {
  const requests = keys.map((key) => ask(key as IDBValidKey));
  await done;
  return requests.map(({ result }) => result);
};

const createReader = ({ db, close }: Connection): Reader => ({
  get: (table, key) => guarded(async () => (await db().get(table, key)) as Row<typeof table> | undefined),
  getMany: (table, keys) =>
    guarded(async () => {
      const { store, done } = db().transaction(table);
      return (await resultsOf(done, keys, (key) => unwrap(store).get(key))) as (
        | Row<typeof table>
        | undefined
      )[];
    }),
  all: (table) => guarded(async () => (await db().getAll(table)) as Row<typeof table>[]),
  count: (table) => guarded(() => db().count(table)),
  has: (table, keys) =>
    guarded(async () => {
      const { store, done } = db().transaction(table);
      const found = await resultsOf(done, keys, (key) => unwrap(store).getKey(key));
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

/** The requests are the browser's own: none of them is waited for, and the transaction's end tells of the first that failed. */
const put = (tx: IDBTransaction, change: Write): void => {
  const rows = tx.objectStore(change.table);
  if ('put' in change) rows.put(change.put);
  else rows.delete(change.remove as IDBValidKey);
};

type MessageWrite = Write & { table: 'message' };

const keyOf = (change: MessageWrite): Key<'message'> =>
  'put' in change ? [change.put.conversation, change.put.id] : change.remove;

/** Brings `mark` up to date with a message: all that it had before, and has no more, goes. */
const putMarks = (tx: IDBTransaction, change: MessageWrite, before: MessageRow | undefined): void => {
  const marks = tx.objectStore('mark');
  const stale = new Map((before ? marksOf(before) : []).map((mark) => [JSON.stringify(mark), mark]));
  for (const mark of 'put' in change ? marksOf(change.put) : []) {
    if (!stale.delete(JSON.stringify(mark))) marks.put(1, mark);
  }
  for (const mark of stale.values()) marks.delete(mark);
};

/** Nothing but requests of this transaction is awaited in here: it would end by itself. */
const write = async (db: Database, mine: number, writes: readonly Write[]): Promise<void> => {
  const tables = new Set<TableName | 'generation' | 'mark'>([
    'generation',
    ...writes.map(({ table }) => table),
  ]);
  if (tables.has('message')) tables.add('mark');
  const tx = db.transaction([...tables], 'readwrite', { durability: 'strict' });
  const done = tx.done.catch((error: unknown) => error);
  try {
    const messages = writes.filter((change): change is MessageWrite => change.table === 'message');
    const rows = unwrap(tx);
    const [generation, ...before] = await Promise.all([
      tx.objectStore('generation').get('generation'),
      ...messages.map((change) =>
        'put' in change && change.isNew ? undefined : tx.objectStore('message').get(keyOf(change)),
      ),
    ]);
    if (generation !== mine) throw new StoreError('superseded');
    for (const change of writes) put(rows, change);
    for (const [at, change] of messages.entries()) putMarks(rows, change, before[at]);
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
