import {
  DATED,
  type Dated,
  KEY_PATHS,
  type Key,
  MESSAGE_INDEXES,
  type MessageRow,
  type Row,
  type TableName,
} from '@sotto/engine/rows';
import { type DBSchema, type IDBPDatabase, unwrap } from 'idb';

type Part = string | number;

/** Every message is in them, for as long as it is there. */
const FULL = ['order', 'sender'] as const;
type Full = (typeof FULL)[number];
export type Sparse = Exclude<keyof typeof MESSAGE_INDEXES, Full>;

export const isFull = (index: keyof typeof MESSAGE_INDEXES): index is Full =>
  (FULL as readonly string[]).includes(index);

/**
 * The keys in `mark` of a message. Chromium leaves an entry of an index where it is when the row is put again without the field,
 * and looks at each such entry at every reading: of indexes that rows come into and leave, that is all of them sooner or
 * later. Keys of an object store are gone once they are deleted.
 */
export const marksOf = (row: MessageRow): Schema['mark']['key'][] =>
  Object.entries(MESSAGE_INDEXES).flatMap(([name, fields]) => {
    const index = name as keyof typeof MESSAGE_INDEXES;
    const parts = fields.map((field) => row[field as keyof MessageRow]);
    return isFull(index) || parts.includes(undefined)
      ? []
      : [[index, ...(parts as Part[])] as Schema['mark']['key']];
  });

type Rows = { [T in TableName]: { key: Key<T>; value: Row<T> } };

type DatedRows = { [T in Dated]: Rows[T] & { indexes: { at: number } } };

export interface Schema extends DBSchema, Omit<Rows, 'message' | Dated>, DatedRows {
  message: {
    key: Key<'message'>;
    value: MessageRow;
    indexes: Record<Full, Part[]>;
  };
  /** The sparse indexes of messages: the name of one and its fields. */
  mark: { key: [Sparse, ...Part[]]; value: 1 };
  /** One row: how often the database has been opened for writing. */
  generation: { key: 'generation'; value: number };
}

export type Database = IDBPDatabase<Schema>;

export const VERSION = 4;

/** Brings a database of an older version, or a new one, to VERSION. */
export const upgrade = (db: Database, from: number): void => {
  if (from < 4) {
    // Nothing before was released, and nothing in it was sealed: what it held is not carried over.
    for (const name of db.objectStoreNames) db.deleteObjectStore(name);
    for (const table of Object.keys(KEY_PATHS) as TableName[]) {
      const path: string | readonly string[] = KEY_PATHS[table];
      const keyPath = typeof path === 'string' ? path : [...path];
      const rows = unwrap(db).createObjectStore(table, { keyPath });
      if ((DATED as readonly TableName[]).includes(table)) rows.createIndex('at', 'at');
      if (table !== 'message') continue;
      for (const index of FULL) rows.createIndex(index, [...MESSAGE_INDEXES[index]]);
    }
    db.createObjectStore('mark');
    db.createObjectStore('generation');
  }
};
