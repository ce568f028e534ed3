import 'fake-indexeddb/auto';
import { storeSuite } from '@sotto/store-memory/store-suite';
import { openStore } from './open-store.ts';

let count = 0;

storeSuite('the IndexedDB store', () => {
  const name = `suite-${count++}`;
  return { open: () => openStore(name) };
});
