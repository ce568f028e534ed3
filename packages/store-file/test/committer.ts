// Commits to the store at the path given, without an end, and prints the number of each commit that is done.
import { writeSync } from 'node:fs';
import { StoreError, type Write } from '@sotto/engine/ports';
import { message, put } from '@sotto/store-memory/store-case';
import { createFileDisk } from '../src/file-store.ts';

const [path, from] = process.argv.slice(2);
const filler = 'x'.repeat(20_000);

try {
  const store = await createFileDisk({ path: path! }).open();
  writeSync(1, 'open\n');
  for (let number = Number(from); ; number += 1) {
    // Always the same ten rows: most of the file is garbage before long.
    const rows: Write[] = Array.from({ length: 10 }, (_, i) =>
      put(message(number, `m${i}`, { text: filler })),
    );
    await store.commit([{ table: 'seen', put: { envelope: `e${number}`, at: number } }, ...rows]);
    writeSync(1, `${number}\n`);
  }
} catch (error) {
  writeSync(1, `${error instanceof StoreError ? error.code : String(error)}\n`);
}
