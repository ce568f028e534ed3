import { type Reader, type Store, StoreError } from '@sotto/engine/ports';
import { copyOf, createTables, readTables } from './tables.ts';

/** What several stores can be opened on, one after the other, as a browser's database outlives its tabs. */
export interface MemoryDisk {
  open(): Store;
  reader(): Reader;
}

/** A store that forgets with the process: for tests, tools and bots that need no memory. Rows are copied both ways. */
export const createMemoryDisk = (): MemoryDisk => {
  const tables = createTables();
  let generation = 0;

  const use = () => {
    let closed = false;
    const check = () => {
      if (closed) throw new StoreError('closed');
    };
    return { check, reader: readTables(tables, { check, close: () => void (closed = true) }) };
  };

  return {
    reader: () => use().reader,
    open() {
      const mine = ++generation;
      const { check, reader } = use();
      return {
        ...reader,
        generation: mine,
        async commit(writes) {
          check();
          if (mine !== generation) throw new StoreError('superseded');
          for (const change of copyOf(writes)) tables.apply(change);
        },
      };
    },
  };
};
