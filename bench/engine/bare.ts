// The same rows on IndexedDB with nothing around it: no sealing, no views, no messages between threads.
import type { Filling } from './rows.ts';
import type { MessageRow } from '../../packages/engine/src/rows.ts';

const NAME = 'bare';
const HALF = 25;
const PAGE = 50;
type Key = IDBValidKey;

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error!);
  });

const ended = (tx: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(tx.error!);
  });

export const openBare = (): Promise<IDBDatabase> => {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    const db = request.result;
    db.createObjectStore('contact', { keyPath: 'account' });
    db.createObjectStore('conversation', { keyPath: 'id' });
    db.createObjectStore('seen', { keyPath: 'envelope' });
    const messages = db.createObjectStore('message', { keyPath: ['conversation', 'id'] });
    messages.createIndex('order', ['conversation', 'order', 'id']);
    messages.createIndex('unread', ['conversation', 'unread', 'order', 'id']);
  };
  return done(request);
};

const put = (tx: IDBTransaction, table: string, rows: readonly unknown[]): void => {
  for (const row of rows) tx.objectStore(table).put(row);
};

export const writeBare = async (
  db: IDBDatabase,
  rows: { [table in 'contact' | 'conversation' | 'message' | 'seen']?: readonly unknown[] },
): Promise<void> => {
  const tx = db.transaction(Object.keys(rows), 'readwrite', { durability: 'strict' });
  for (const [table, some] of Object.entries(rows)) put(tx, table, some);
  tx.commit();
  await ended(tx);
};

export const clearBare = (): Promise<unknown> => done(indexedDB.deleteDatabase(NAME));

/** What the list is made of. */
export const bareList = async (): Promise<Pick<Filling, 'contacts' | 'conversations'>> => {
  const db = await openBare();
  const tx = db.transaction(['contact', 'conversation']);
  const [contacts, conversations] = await Promise.all([
    done(tx.objectStore('contact').getAll()),
    done(tx.objectStore('conversation').getAll()),
  ]);
  db.close();
  return { contacts, conversations };
};

const within = (prefix: Key[], from: Key[] = [], to: Key[] = [[]]): IDBKeyRange =>
  IDBKeyRange.bound([...prefix, ...from], [...prefix, ...to], true, true);

const pageBefore = async (index: IDBIndex, range: IDBKeyRange, limit: number): Promise<MessageRow[]> => {
  const request = index.openKeyCursor(range, 'prev');
  const cursor = await done(request);
  if (!cursor) return [];
  const last = cursor.key;
  cursor.advance(limit - 1);
  const first = await done(request);
  return done(index.getAll(first ? IDBKeyRange.bound(first.key, last) : range));
};

export const bareLast = (db: IDBDatabase, conversation: string): Promise<MessageRow[]> =>
  pageBefore(db.transaction('message').objectStore('message').index('order'), within([conversation]), PAGE);

/** What stands around the first that nobody has seen. */
export const bareUnread = async (db: IDBDatabase, conversation: string): Promise<number> => {
  const messages = db.transaction('message').objectStore('message');
  const index = messages.index('order');
  const middle = (await done(messages.index('unread').get(within([conversation, 1])))) as MessageRow;
  const place = [middle.order, middle.id];
  const before = await pageBefore(index, within([conversation], [], place), HALF);
  const after = await done(index.getAll(within([conversation], place), HALF));
  return before.length + after.length;
};

export const bareBack = async (db: IDBDatabase, conversation: string, pages: number): Promise<number> => {
  let first = (await bareLast(db, conversation))[0]!;
  for (let page = 0; page < pages; page += 1) {
    const index = db.transaction('message').objectStore('message').index('order');
    const rows = await pageBefore(index, within([conversation], [], [first.order, first.id]), PAGE);
    first = rows[0]!;
  }
  return first.order;
};

export const bareRows = async (db: IDBDatabase, keys: readonly [string, string][]): Promise<unknown[]> => {
  const messages = db.transaction('message').objectStore('message');
  return Promise.all(keys.map((key) => done(messages.get(key))));
};
