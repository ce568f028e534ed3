import { type Store, StoreError, type Write } from '@sotto/engine/ports';
import { KEY_PATHS, type Key, type MessageRow, type Row, type TableName } from '@sotto/engine/rows';

type Disk = { [T in TableName]: Map<string, Row<T>> };

/** What several stores can be opened on, one after the other, as a browser's database outlives its tabs. */
export interface MemoryDisk {
  open(): Store;
}

const keyOf = (table: TableName, row: Row<TableName>): string => {
  const path: string | readonly string[] = KEY_PATHS[table];
  const fields = row as unknown as Record<string, unknown>;
  return JSON.stringify(typeof path === 'string' ? fields[path] : path.map((part) => fields[part]));
};

const byOrder = (a: { order: number; id: string }, b: { order: number; id: string }): number =>
  a.order - b.order || (a.id < b.id ? -1 : Number(a.id > b.id));

const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => {
  const [x, y] = [JSON.parse(a) as string | number, JSON.parse(b) as string | number];
  return x < y ? -1 : Number(x > y);
};

/** A store that forgets with the process: for tests, tools and bots that need no memory. Rows are copied both ways. */
export const createMemoryDisk = (): MemoryDisk => {
  const disk = Object.fromEntries(
    Object.keys(KEY_PATHS).map((table) => [table, new Map()]),
  ) as unknown as Disk;
  const table = <T extends TableName>(name: T) => disk[name] as Map<string, Row<T>>;
  let generation = 0;

  const open = (): Store => {
    const mine = ++generation;
    let closed = false;
    const check = () => {
      if (closed) throw new StoreError('closed');
    };
    return {
      async get<T extends TableName>(name: T, key: Key<T>) {
        check();
        return structuredClone(table(name).get(JSON.stringify(key)));
      },
      async all(name) {
        check();
        return [...table(name)].toSorted(byKey).map(([, row]) => structuredClone(row));
      },
      async messages(conversation, { before, limit }) {
        check();
        const rows: MessageRow[] = [...table('message').values()];
        return rows
          .filter((row) => row.conversation === conversation && (!before || byOrder(row, before) < 0))
          .toSorted(byOrder)
          .toReversed()
          .slice(0, limit)
          .map((row) => structuredClone(row));
      },
      async commit(writes: readonly Write[]) {
        check();
        if (mine !== generation) throw new StoreError('superseded');
        // Cloned before the first change: a row that cannot be stored fails the whole commit.
        const changes = writes.map((write) => structuredClone(write));
        for (const change of changes) {
          const rows = table(change.table);
          if ('put' in change) rows.set(keyOf(change.table, change.put), change.put);
          else rows.delete(JSON.stringify(change.remove));
        }
      },
      close() {
        closed = true;
      },
    };
  };
  return { open };
};
