import { tellAll } from './emitter.ts';
import type { Reader, Store, Write } from './ports.ts';
import {
  type ContactRow,
  type ConversationRow,
  DATED,
  type Dated,
  type Key,
  KEY_PATHS,
  type MessageRow,
  type Row,
  type SelfRow,
  type TableName,
} from './rows.ts';

/** Changes in the making: reads see them, the store and everybody else only after the commit. */
export interface Draft {
  get<T extends TableName>(table: T, key: Key<T>): Promise<Row<T> | undefined>;
  /** Reads rows at once that `get` is going to be asked for one by one. */
  prefetch<T extends TableName>(table: T, keys: readonly Key<T>[]): Promise<void>;
  /** Up to `most` of the last messages of somebody in a conversation, and all of theirs in here; in no order. */
  messagesOf(conversation: string, from: string, most: number): Promise<MessageRow[]>;
  put<T extends TableName>(table: T, row: Row<T>, key: Key<T>): void;
  remove<T extends TableName>(table: T, key: Key<T>): void;
  nextSeq(): number;
  /** The rows of a table that have been put. */
  putOf<T extends TableName>(table: T): Row<T>[];
  /** Runs `make`. When it throws, nothing of what it drafted stays. */
  attempt<R>(make: () => Promise<R>): Promise<R>;
}

export type ChangeListener = (writes: readonly Write[]) => void;

/** The rows that views need at once, held in memory in step with the store. All that a view stands on. */
export interface ReadModel {
  readonly self: SelfRow | undefined;
  readonly contacts: ReadonlyMap<string, ContactRow>;
  readonly conversations: ReadonlyMap<string, ConversationRow>;
  /** By `seq`, ascending. */
  readonly outbox: ReadonlyMap<number, Row<'outbox'>>;
  readonly groups: ReadonlyMap<string, Row<'group'>>;
  readonly store: Reader;
  /** Told of what has been committed, when the rows above show it. */
  onChange(listener: ChangeListener): () => void;
  /** Told when commits may have been missed: what was read of the store before is to be read anew. */
  onResync(listener: () => void): () => void;
}

/** The model of the writer. Every change goes through `change`, is committed first and shown afterwards. */
export interface Model extends ReadModel {
  readonly store: Store;
  /**
   * Runs `make` alone, then commits what it drafted in one transaction. Rejects with what either threw. `quiet`: nobody is
   * told, for it changes nothing that is shown: none of the rows that are held in memory.
   */
  change<R>(make: (draft: Draft) => Promise<R> | R, options?: { quiet?: boolean }): Promise<R>;
}

/** The model of whoever does not write: it follows the notices of the writer. */
export interface FollowingModel extends ReadModel {
  /** Reads what the notices name, then tells of it. Calls run one after the other. Rejects with a StoreError. */
  follow(notices: readonly Notice[]): Promise<void>;
  /** Takes in what an engine in the same worker has committed, after everything that is being read. */
  apply(writes: readonly Write[]): Promise<void>;
  /** Reads everything anew: commits may have been missed. */
  resync(): Promise<void>;
}

/** That a row has changed. Plain data: it travels between tabs. */
export type Notice = { [T in Viewed]: { table: T; key: Key<T> } }[Viewed];

const CACHED = ['self', 'contact', 'conversation', 'outbox', 'group'] as const satisfies readonly TableName[];
type Cached = (typeof CACHED)[number];
type Cache = { [T in Cached]: Map<Key<T>, Row<T>> };

/** Of these a conversation uses the same few again and again: the last ones are kept at hand. */
const RECENT: readonly TableName[] = ['message', 'peer', 'sender'];
const RECENT_ROWS = 64;

/** What views stand on. The rest is of no use to anybody but the writer. */
const VIEWED = [...CACHED, 'message'] as const;
type Viewed = (typeof VIEWED)[number];

const isCached = (table: TableName): table is Cached => (CACHED as readonly TableName[]).includes(table);
const isDated = (table: TableName): table is Dated => (DATED as readonly TableName[]).includes(table);
const isViewed = (table: TableName): table is Viewed => (VIEWED as readonly TableName[]).includes(table);

const address = (table: TableName, key: unknown): string => `${table} ${JSON.stringify(key)}`;

const keyOf = (write: Write): Key<TableName> => {
  if ('remove' in write) return write.remove;
  const path: string | readonly string[] = KEY_PATHS[write.table];
  const row = write.put as unknown as Record<string, unknown>;
  return (typeof path === 'string' ? row[path] : path.map((part) => row[part])) as Key<TableName>;
};

/** What followers have to hear of a commit. */
export const noticesOf = (writes: readonly Write[]): Notice[] =>
  writes
    .filter(({ table }) => isViewed(table))
    .map((write) => ({ table: write.table, key: keyOf(write) }) as Notice);

/** Rows of before have a sender key in them, which is made anew. */
const withoutSending = (row: Row<'group'>): Row<'group'> => {
  const { own: _, handing: _h, ...group } = row as Row<'group'> & { own?: unknown; handing?: unknown };
  return group;
};

/** Reads the cached tables; `show` brings them up to date with writes that were committed and tells listeners. */
const openCache = async (store: Reader) => {
  const [self, contacts, conversations, outbox, groups] = await Promise.all([
    store.all('self'),
    store.all('contact'),
    store.all('conversation'),
    store.all('outbox'),
    store.all('group'),
  ]);
  const cache: Cache = {
    self: new Map(self.map((row) => [row.key, row])),
    contact: new Map(contacts.map((row) => [row.account, row])),
    conversation: new Map(conversations.map((row) => [row.id, row])),
    outbox: new Map(outbox.map((row) => [row.seq, row])),
    group: new Map(groups.map((row) => [row.group, withoutSending(row)])),
  };
  const cached = (table: Cached) => cache[table] as Map<Key<Cached>, Row<Cached>>;
  const listeners = new Set<ChangeListener>();
  const resyncs = new Set<() => void>();
  return {
    cached,
    show(writes: readonly Write[]): void {
      for (const write of writes) {
        if (!isCached(write.table)) continue;
        const rows = cached(write.table);
        const key = keyOf(write) as Key<Cached>;
        if ('put' in write) rows.set(key, write.put as Row<Cached>);
        else rows.delete(key);
      }
      tellAll(listeners, writes);
    },
    resynced(): void {
      tellAll(resyncs);
    },
    shown: {
      get self() {
        return cache.self.get('self');
      },
      contacts: cache.contact,
      conversations: cache.conversation,
      outbox: cache.outbox,
      groups: cache.group,
      onChange(listener: ChangeListener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      onResync(listener: () => void) {
        resyncs.add(listener);
        return () => resyncs.delete(listener);
      },
    },
  };
};

/** Runs tasks one after the other, also after one that failed. */
const createQueue = () => {
  let tail: Promise<unknown> = Promise.resolve();
  return <R>(task: () => Promise<R>): Promise<R> => {
    const done = tail.then(task);
    tail = done.catch(() => undefined);
    return done;
  };
};

export const openModel = async (store: Store): Promise<Model> => {
  const { cached, show, shown } = await openCache(store);
  const queue = createQueue();
  let seq = [...shown.outbox.keys()].at(-1) ?? 0;
  /** As they are in the store, or missing there; the one used last is the last. Nobody else writes there. */
  const recent = new Map<string, Row<TableName> | undefined>();

  const remember = (table: TableName, at: string, row: Row<TableName> | undefined): void => {
    if (!RECENT.includes(table)) return;
    recent.delete(at);
    recent.set(at, row);
    if (recent.size > RECENT_ROWS) recent.delete(recent.keys().next().value!);
  };

  /** Asked of tables that mostly are: one look instead of one for each key. */
  const isEmpty = async (table: TableName): Promise<boolean> =>
    isDated(table) && (await store.older(table, Number.POSITIVE_INFINITY, 1)).length === 0;

  const run = async <R>(make: (draft: Draft) => Promise<R> | R, quiet: boolean): Promise<R> => {
    const drafted = new Map<string, Write>();
    /** As they are in the store, where nothing changes until the commit. */
    const fetched = new Map<string, Row<TableName> | undefined>();
    let isOver = false;
    /** A reading that a failed change has left behind may end when the row is another. */
    const learn: typeof remember = (table, at, row) => {
      if (!isOver) remember(table, at, row);
    };
    const draft: Draft = {
      async get<T extends TableName>(table: T, key: Key<T>) {
        const at = address(table, key);
        const write = drafted.get(at);
        if (write) return 'put' in write ? (write.put as Row<T>) : undefined;
        if (isCached(table)) return cached(table).get(key as Key<Cached>) as Row<T> | undefined;
        if (fetched.has(at)) return fetched.get(at) as Row<T> | undefined;
        const row = recent.has(at) ? (recent.get(at) as Row<T> | undefined) : await store.get(table, key);
        learn(table, at, row);
        return row;
      },
      async prefetch(table, keys) {
        const unknown = keys.filter((key) => {
          const at = address(table, key);
          if (recent.has(at)) fetched.set(at, recent.get(at));
          return !recent.has(at);
        });
        if (unknown.length === 0) return;
        const rows = (await isEmpty(table)) ? [] : await store.getMany(table, unknown);
        for (const [index, key] of unknown.entries()) {
          const at = address(table, key);
          fetched.set(at, rows[index]);
          learn(table, at, rows[index]);
        }
      },
      async messagesOf(conversation, from, most) {
        const rows = await store.messages({ conversation, from }, { limit: most });
        const found = new Map(rows.map((row) => [address('message', [conversation, row.id]), row]));
        for (const [at, write] of drafted) {
          if (write.table !== 'message') continue;
          found.delete(at);
          if ('put' in write && write.put.conversation === conversation && write.put.from === from)
            found.set(at, write.put);
        }
        return [...found.values()];
      },
      put: (table, row, key) => void drafted.set(address(table, key), { table, put: row } as Write),
      remove: (table, key) => void drafted.set(address(table, key), { table, remove: key } as Write),
      nextSeq: () => ++seq,
      putOf: <T extends TableName>(table: T) =>
        [...drafted.values()].flatMap((write) =>
          write.table === table && 'put' in write ? [write.put as Row<T>] : [],
        ),
      async attempt(make) {
        const before = [...drafted];
        try {
          return await make();
        } catch (error) {
          drafted.clear();
          for (const [at, write] of before) drafted.set(at, write);
          throw error;
        }
      },
    };
    let result: R;
    try {
      result = await make(draft);
    } finally {
      isOver = true;
    }
    const writes = [...drafted.values()];
    if (writes.length === 0) return result;
    for (const [at, write] of drafted) {
      if (fetched.has(at) && !fetched.get(at) && 'put' in write) write.isNew = true;
    }
    await store.commit(writes);
    for (const write of writes)
      remember(write.table, address(write.table, keyOf(write)), 'put' in write ? write.put : undefined);
    if (!quiet) show(writes);
    return result;
  };

  return Object.assign(shown, {
    store,
    change: <R>(make: (draft: Draft) => Promise<R> | R, { quiet = false } = {}) =>
      queue(() => run(make, quiet)),
  });
};

/** Notices of commits from before the reading, or during it, may be followed afterwards: they change nothing. */
export const followModel = async (store: Reader): Promise<FollowingModel> => {
  const { cached, show, shown, resynced } = await openCache(store);
  const queue = createQueue();
  const read = async ({ table, key }: Notice): Promise<Write> => {
    const row = await store.get(table, key);
    return (row ? { table, put: row } : { table, remove: key }) as Write;
  };
  const readAll = async (table: Cached): Promise<Write[]> => {
    const rows = await store.all(table);
    const puts = rows.map((put) => ({ table, put }) as Write);
    const keys = new Set(puts.map(keyOf));
    const gone = [...cached(table).keys()].filter((key) => !keys.has(key));
    return [...gone.map((remove) => ({ table, remove }) as Write), ...puts];
  };
  return Object.assign(shown, {
    store,
    apply: (writes: readonly Write[]) => queue(async () => show(writes)),
    resync: () =>
      queue(async () => {
        show((await Promise.all(CACHED.map(readAll))).flat());
        resynced();
      }),
    follow: (notices: readonly Notice[]) =>
      queue(async () => show(await Promise.all(notices.map((notice) => read(notice))))),
  });
};
