import 'fake-indexeddb/auto';
import { runStoreCase, STORE_CASES } from '@sotto/store-memory/store-suite';
import { describe, it } from 'vitest';
import { openReader, openStore } from './open-store.ts';

describe('the IndexedDB store keeps the promises of a store', () => {
  for (const entry of STORE_CASES) {
    it(entry.name, () => {
      const name = `suite ${entry.name}`;
      return runStoreCase(entry, { open: () => openStore({ name }), reader: () => openReader({ name }) });
    });
  }
});
