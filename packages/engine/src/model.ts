import type { Store, Write } from './ports.ts';
import type { ContactRow, ConversationRow, Key, Row, SelfRow, TableName } from './rows.ts';

/** Changes in the making: reads see them, the store and everybody else only after the commit. */
export interface Draft {
  get<T extends TableName>(table: T, key: Key<T>): Promise<Row<T> | undefined>;
  put<T extends TableName>(table: T, row: Row<T>, key: Key<T>): void;
  remove<T extends TableName>(table: T, key: Key<T>): void;
  nextSeq(): number;
}

export type ChangeListener = (writes: readonly Write[]) => void;

/**
 * The rows that views need at once (self, contacts, conversations, the outbox), held in memory in step with the
 * store: every change goes through `change`, is committed first and shown afterwards. Changes run one at a time.
 */
export interface Model {
  readonly self: SelfRow | undefined;
  readonly contacts: ReadonlyMap<string, ContactRow>;
  readonly conversations: ReadonlyMap<string, ConversationRow>;
  /** By `seq`, ascending. */
  readonly outbox: ReadonlyMap<number, Row<'outbox'>>;
  readonly store: Store;
  /** Runs `make` alone, then commits what it drafted in one transaction. Rejects with what either threw. */
  change<R>(make: (draft: Draft) => Promise<R> | R): Promise<R>;
  onChange(listener: ChangeListener): () => void;
}

const CACHED = ['self', 'contact', 'conversation', 'outbox'] as const satisfies readonly TableName[];
type Cached = (typeof CACHED)[number];
type Cache = { [T in Cached]: Map<Key<T>, Row<T>> };

const isCached = (table: TableName): table is Cached => (CACHED as readonly TableName[]).includes(table);

const address = (table: TableName, key: unknown): string => `${table} ${JSON.stringify(key)}`;

export const openModel = async (store: Store): Promise<Model> => {
  const [self, contacts, conversations, outbox] = await Promise.all([
    store.all('self'),
    store.all('contact'),
    store.all('conversation'),
    store.all('outbox'),
  ]);
  const cache: Cache = {
    self: new Map(self.map((row) => [row.key, row])),
    contact: new Map(contacts.map((row) => [row.account, row])),
    conversation: new Map(conversations.map((row) => [row.id, row])),
    outbox: new Map(outbox.map((row) => [row.seq, row])),
  };
  const cached = (table: Cached) => cache[table] as Map<Key<Cached>, Row<Cached>>;
  const listeners = new Set<ChangeListener>();
  let seq = outbox.at(-1)?.seq ?? 0;
  let tail: Promise<unknown> = Promise.resolve();

  const run = async <R>(make: (draft: Draft) => Promise<R> | R): Promise<R> => {
    const drafted = new Map<string, { key: Key<TableName>; write: Write }>();
    const note = (table: TableName, key: Key<TableName>, write: Write) => {
      drafted.set(address(table, key), { key, write });
    };
    const draft: Draft = {
      async get<T extends TableName>(table: T, key: Key<T>) {
        const entry = drafted.get(address(table, key));
        if (entry) return 'put' in entry.write ? (entry.write.put as Row<T>) : undefined;
        if (isCached(table)) return cached(table).get(key as Key<Cached>) as Row<T> | undefined;
        return store.get(table, key);
      },
      put: (table, row, key) => note(table, key, { table, put: row } as Write),
      remove: (table, key) => note(table, key, { table, remove: key } as Write),
      nextSeq: () => ++seq,
    };
    const result = await make(draft);
    const writes = [...drafted.values()].map(({ write }) => write);
    if (writes.length === 0) return result;
    await store.commit(writes);
    for (const { key, write } of drafted.values()) {
      if (!isCached(write.table)) continue;
      const rows = cached(write.table);
      if ('put' in write) rows.set(key as Key<Cached>, write.put as Row<Cached>);
      else rows.delete(key as Key<Cached>);
    }
    for (const listener of listeners) listener(writes);
    return result;
  };

  return {
    get self() {
      return cache.self.get('self');
    },
    contacts: cache.contact,
    conversations: cache.conversation,
    outbox: cache.outbox,
    store,
    change(make) {
      const done = tail.then(() => run(make));
      tail = done.catch(() => undefined);
      return done;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
