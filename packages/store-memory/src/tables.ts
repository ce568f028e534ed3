import {
  type MessagePage,
  type MessageQuery,
  planMessages,
  type Reader,
  StoreError,
  type Write,
} from '@sotto/engine/ports';
import {
  type Dated,
  KEY_PATHS,
  type Key,
  MESSAGE_INDEXES,
  type MessageRow,
  type Row,
  type TableName,
} from '@sotto/engine/rows';

type Part = string | number;
type Parts = readonly Part[];
type IndexName = keyof typeof MESSAGE_INDEXES;

/** How many parts of an index every query names: rows that share them stand together. */
const NAMED: Record<IndexName, number> = {
  order: 1,
  unread: 2,
  sender: 2,
  starred: 1,
  unindexed: 1,
  expiry: 0,
};
const INDEX_NAMES = Object.keys(NAMED) as IndexName[];

const partsOf = (row: object, path: readonly string[]): (Part | undefined)[] =>
  path.map((field) => (row as Record<string, Part | undefined>)[field]);

const idOf = (table: TableName, row: object): string => {
  const path: string | readonly string[] = KEY_PATHS[table];
  return JSON.stringify(typeof path === 'string' ? partsOf(row, [path])[0] : partsOf(row, path));
};

/** Part by part, numbers before texts, and what begins another before it. */
const compare = (a: Parts, b: Parts): number => {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const [x, y] = [a[i]!, b[i]!];
    if (x === y) continue;
    if (typeof x !== typeof y) return typeof x === 'number' ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
};

const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number =>
  compare([JSON.parse(a)].flat() as Parts, [JSON.parse(b)].flat() as Parts);

interface Entry {
  parts: Parts;
  row: MessageRow;
}

/** Where the first entry is that stands at `parts` or after it; with `past`, after it. */
const placeOf = (entries: readonly Entry[], parts: Parts, past = false): number => {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compare(entries[middle]!.parts, parts);
    if (order < 0 || (past && order === 0)) low = middle + 1;
    else high = middle;
  }
  return low;
};

const createIndex = (name: IndexName) => {
  const groups = new Map<string, Entry[]>();
  const split = (row: MessageRow) => {
    const parts = partsOf(row, MESSAGE_INDEXES[name]);
    if (parts.includes(undefined)) return undefined;
    return {
      group: JSON.stringify(parts.slice(0, NAMED[name])),
      parts: parts.slice(NAMED[name]) as Parts,
    };
  };
  return {
    add(row: MessageRow): void {
      const { group, parts } = split(row) ?? {};
      if (group === undefined || !parts) return;
      const entries = groups.get(group);
      if (entries) entries.splice(placeOf(entries, parts), 0, { parts, row });
      else groups.set(group, [{ parts, row }]);
    },
    remove(row: MessageRow): void {
      const { group, parts } = split(row) ?? {};
      const entries = group === undefined ? undefined : groups.get(group);
      if (!entries || !parts) return;
      entries.splice(placeOf(entries, parts), 1);
      if (entries.length === 0) groups.delete(group!);
    },
    page({ prefix, before, after, backwards, limit }: ReturnType<typeof planMessages>): MessageRow[] {
      const entries = groups.get(JSON.stringify(prefix)) ?? [];
      const start = after ? placeOf(entries, after, true) : 0;
      const end = before ? placeOf(entries, before) : entries.length;
      const page = backwards
        ? entries.slice(Math.max(start, end - limit), end).toReversed()
        : entries.slice(start, Math.min(end, start + limit));
      return page.map(({ row }) => row);
    },
  };
};

/** Rows in memory and what they are found by. They go in and out as they are: whoever hands them on copies them. */
export interface Tables {
  readonly names: readonly TableName[];
  row<T extends TableName>(table: T, key: Key<T>): Row<T> | undefined;
  /** The row that `row` takes the place of. */
  before<T extends TableName>(table: T, row: Row<T>): Row<T> | undefined;
  rows<T extends TableName>(table: T): ReadonlyMap<string, Row<T>>;
  messages(query: MessageQuery, page: MessagePage): MessageRow[];
  apply(write: Write): void;
}

export const createTables = (): Tables => {
  const names = Object.keys(KEY_PATHS) as TableName[];
  const tables = new Map(names.map((name) => [name, new Map<string, Row<TableName>>()]));
  const indexes = INDEX_NAMES.map((name) => [name, createIndex(name)] as const);
  const byName = new Map(indexes);
  const rows = <T extends TableName>(table: T) => tables.get(table) as unknown as Map<string, Row<T>>;

  const change = (table: TableName, id: string, row: Row<TableName> | undefined): void => {
    const before = rows(table).get(id);
    if (row) rows(table).set(id, row);
    else rows(table).delete(id);
    if (table !== 'message') return;
    for (const [, index] of indexes) {
      if (before) index.remove(before as MessageRow);
      if (row) index.add(row as MessageRow);
    }
  };

  return {
    names,
    rows,
    row: (table, key) => rows(table).get(JSON.stringify(key)),
    before: (table, row) => rows(table).get(idOf(table, row)),
    messages(query, page) {
      const plan = planMessages(query, page);
      return byName.get(plan.index)!.page(plan);
    },
    apply(write) {
      if ('put' in write) change(write.table, idOf(write.table, write.put), write.put);
      else change(write.table, JSON.stringify(write.remove), undefined);
    },
  };
};

/** @throws StoreError `failed` for a row that cannot be stored: nothing of its commit is */
export const copyOf = (writes: readonly Write[]): readonly Write[] => {
  try {
    return structuredClone(writes);
  } catch (cause) {
    throw new StoreError('failed', { cause });
  }
};

/** Hands out copies of what `tables` hold. `check` throws where nothing may be read any more. */
export const readTables = (
  tables: Tables,
  { check, close }: { check: () => void; close: () => void },
): Reader => ({
  async get(table, key) {
    check();
    return structuredClone(tables.row(table, key));
  },
  async getMany(table, keys) {
    check();
    return keys.map((key) => structuredClone(tables.row(table, key)));
  },
  async all(table) {
    check();
    return [...tables.rows(table)].toSorted(byKey).map(([, row]) => structuredClone(row));
  },
  async count(table) {
    check();
    return tables.rows(table).size;
  },
  async has(table, keys) {
    check();
    return keys.map((key) => tables.row(table, key) !== undefined);
  },
  async messages(query, page) {
    check();
    return tables.messages(query, page).map((row) => structuredClone(row));
  },
  async older<T extends Dated>(table: T, before: number, limit: number) {
    check();
    return [...tables.rows(table)]
      .filter(([, { at }]) => at < before)
      .toSorted((a, b) => a[1].at - b[1].at || byKey(a, b))
      .slice(0, limit)
      .map(([key]) => JSON.parse(key) as Key<T>);
  },
  close,
});
