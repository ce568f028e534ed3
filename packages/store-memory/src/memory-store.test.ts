import { describe, it } from 'vitest';
import { createMemoryDisk } from './memory-store.ts';
import { runStoreCase, STORE_CASES } from './store-suite.ts';

describe('the memory store keeps the promises of a store', () => {
  for (const entry of STORE_CASES) {
    it(entry.name, () => {
      const disk = createMemoryDisk();
      return runStoreCase(entry, { open: async () => disk.open(), reader: async () => disk.reader() });
    });
  }
});
