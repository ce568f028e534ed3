import { createMemoryDisk } from './memory-store.ts';
import { storeSuite } from './store-suite.ts';

storeSuite('the memory store', () => {
  const disk = createMemoryDisk();
  return { open: async () => disk.open() };
});
