import type { Reader } from '@sotto/engine/ports';
import { openVault, readVault } from '@sotto/engine/vault';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { expect, it } from 'vitest';

it('reads the key once for all rows of a table, and anew after a failure', async () => {
  const disk = createMemoryDisk();
  const vault = await openVault(disk.open());
  await vault.commit(
    Array.from({ length: 20 }, (_, at) => ({
      table: 'conversation' as const,
      put: { id: `c${at}`, createdAt: 1, unread: 0, floors: {} },
    })),
  );
  const raw = disk.reader();
  let reads = 0;
  let fails = true;
  const get: Reader['get'] = async (table, key) => {
    if (table === 'vault') reads += 1;
    if (fails) throw new Error('not now');
    return raw.get(table, key);
  };
  const opened = readVault({ ...raw, get });
  await expect(opened.all('conversation')).rejects.toThrow();
  fails = false;
  reads = 0;
  expect(await opened.all('conversation')).toHaveLength(20);
  expect(reads).toBe(1);
});
