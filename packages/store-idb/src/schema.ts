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

type Rows = { [T in TableName]: { key: Key<T>; value: Row<T> } };

type DatedRows = { [T in Dated]: Rows[T] & { indexes: { at: number } } };

export interface Schema extends DBSchema, Omit<Rows, 'message' | Dated>, DatedRows {
  message: {
    key: Key<'message'>;
    value: MessageRow;
    indexes: Record<keyof typeof MESSAGE_INDEXES, (string | number)[]>;
  };
  /** One row: how often the database has been opened for writing. */
  generation: { key: 'generation'; value: number };
}

export type Database = IDBPDatabase<Schema>;

export const VERSION = 3;

/** Brings a database of an older version, or a new one, to VERSION. */
export const upgrade = (db: Database, from: number): void => {
  if (from < 3) {
    // Nothing before was released, and nothing in it was sealed: what it held is not carried over.
    for (const name of db.objectStoreNames) db.deleteObjectStore(name);
    for (const table of Object.keys(KEY_PATHS) as TableName[]) {
      const path: string | readonly string[] = KEY_PATHS[table];
      const keyPath = typeof path === 'string' ? path : [...path];
      const rows = unwrap(db).createObjectStore(table, { keyPath });
      if ((DATED as readonly TableName[]).includes(table)) rows.createIndex('at', 'at');
      if (table !== 'message') continue;
      for (const [index, fields] of Object.entries(MESSAGE_INDEXES)) rows.createIndex(index, [...fields]);
    }
    db.createObjectStore('generation');
  }
};
