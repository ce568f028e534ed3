import { pack, unpack } from '@sotto/engine/pack';
import { StoreError, type Write } from '@sotto/engine/ports';
import { createTables, type Tables } from '@sotto/store-memory/tables';
import { openJournal } from './journal.ts';
import type { Secret } from './secret.ts';
import { restoreKeys, storedKey } from './stored-keys.ts';

/** A file of less garbage is left as it is. */
const GARBAGE_BYTES = 256 * 1024;
/** The rows of a whole store are written in records of about this size. */
const RECORD_BYTES = 256 * 1024;

/** Everything that the file holds, in memory. Its calls are made one after the other. */
export interface Database {
  readonly tables: Tables;
  /** How often it was opened for writing. */
  readonly generation: number;
  /** Counts another opening for writing. */
  begin(): Promise<void>;
  /** Keeps `writes`, which nobody changes any more. */
  commit(writes: readonly Write[]): Promise<void>;
  /** Over half of the file is rows that others have taken the place of. */
  readonly wasteful: boolean;
  /** Writes the file anew. Where that is not possible the old one goes on. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

const packed = (write: Write): Uint8Array<ArrayBuffer> => {
  try {
    return pack(write, storedKey);
  } catch (cause) {
    throw new StoreError('failed', { cause });
  }
};

/** The generation (4 bytes), then the writes, each after its length (4 bytes). */
const recordOf = (generation: number, writes: readonly Uint8Array[]): Buffer => {
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  return Buffer.concat([number(generation), ...writes.flatMap((bytes) => [number(bytes.length), bytes])]);
};

const readRecord = (
  body: Uint8Array<ArrayBuffer>,
): { generation: number; writes: Uint8Array<ArrayBuffer>[] } => {
  const view = new DataView(body.buffer);
  const writes: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 4; at < body.length;) {
    const length = view.getUint32(at);
    writes.push(body.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return { generation: view.getUint32(0), writes };
};

export const openDatabase = async (path: string, secret: Secret): Promise<Database> => {
  const tables = createTables();
  const sizes = new WeakMap<object, number>();
  let live = 0;
  let generation = 0;
  /** After a compaction that failed: not before the file is this large. */
  let patience = 0;

  const apply = (write: Write, size: number): void => {
    const isPut = 'put' in write;
    const before = isPut ? tables.before(write.table, write.put) : tables.row(write.table, write.remove);
    live -= before ? sizes.get(before)! : 0;
    if (isPut) {
      sizes.set(write.put, size);
      live += size;
    }
    tables.apply(write);
  };

  const journal = await openJournal(path, secret, (body) => {
    const record = readRecord(body);
    ({ generation } = record);
    for (const bytes of record.writes) apply(unpack(bytes) as Write, bytes.length);
  });

  const everything = function* (): Generator<Buffer> {
    let rows: Uint8Array[] = [];
    let size = 0;
    for (const table of tables.names) {
      for (const put of tables.rows(table).values()) {
        const row = packed({ table, put } as Write);
        rows.push(row);
        size += row.length;
        if (size < RECORD_BYTES) continue;
        yield recordOf(generation, rows);
        rows = [];
        size = 0;
      }
    }
    yield recordOf(generation, rows);
  };

  try {
    for (const table of tables.names) {
      for (const row of tables.rows(table).values()) await restoreKeys(row);
    }
  } catch (error) {
    await journal.close();
    throw error;
  }

  return {
    tables,
    get generation() {
      return generation;
    },
    async begin() {
      await journal.append(recordOf(generation + 1, []));
      generation += 1;
    },
    async commit(writes) {
      const rows = writes.map(packed);
      await journal.append(recordOf(generation, rows));
      for (const [i, write] of writes.entries()) apply(write, rows[i]!.length);
    },
    get wasteful() {
      const garbage = journal.size - live;
      return journal.size > patience && garbage > Math.max(live, GARBAGE_BYTES);
    },
    async compact() {
      try {
        await journal.rewrite(everything());
        patience = 0;
      } catch {
        patience = journal.size * 1.5;
      }
    },
    close: () => journal.close(),
  };
};
