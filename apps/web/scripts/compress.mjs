// After the build: Brotli of what compresses well, beside it. The relay sends it to whoever takes it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const DIST = path.resolve(import.meta.dirname, '../dist');

for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  if (!/\.(?:js|css|html|svg|webmanifest)$/.test(name)) continue;
  const file = path.join(DIST, name);
  const text = readFileSync(file);
  const params = { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT };
  writeFileSync(`${file}.br`, brotliCompressSync(text, { params }));
}
