import { hkdfSync, randomBytes, scrypt, type ScryptOptions } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { StoreError } from '@sotto/engine/ports';
import { ifThere, syncFolderOf, writeAt } from './files.ts';

/** What opens a store: a passphrase, or else what stands in `keyFile`. */
export type Secret = { passphrase: string } | { keyFile: string };

/**
 * The first 48 bytes of a store: 7 of `sottost`, the version, the exponent of scrypt's cost, 7 zeros, scrypt's salt (16), and
 * what makes the key of this file another than that of the one before it (16).
 */
export type Header = Buffer;
export const HEADER_BYTES = 48;

const MAGIC = Buffer.from('sottost');
const VERSION = 1;
/** With blocks of 8 and no parallel lanes: 128 MiB and some hundred milliseconds. */
const COST = 17;
const KEY_BYTES = 32;

const deriveKey = (passphrase: string, salt: Buffer, cost: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options: ScryptOptions = { N: 2 ** cost, r: 8, p: 1, maxmem: 2 ** (cost + 11) };
    scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES, options, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });

/** Made where there is none. Whole or not there: a key that is half there opens nothing. */
const makeKeyFile = async (path: string): Promise<Buffer> => {
  const key = randomBytes(KEY_BYTES);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await writeAt(file, key, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncFolderOf(path);
  return key;
};

const readKeyFile = async (path: string, mayMake: boolean): Promise<Buffer> => {
  const key = await ifThere(readFile(path));
  if (key?.length === KEY_BYTES) return key;
  if (key || !mayMake) throw new StoreError('sealed', { cause: new Error(`no key in ${path}`) });
  return makeKeyFile(path);
};

/** The header of the store's next file, and the key of a file by its header. */
export interface Keys {
  next(): Header;
  of(header: Header): Buffer;
}

/**
 * Checks that `header` is one, and what opens it. Without one: makes a key file if that is what the secret is and it is not
 * there.
 *
 * @throws StoreError `newer`; `sealed` when the key file is not there
 */
export const openSecret = async (secret: Secret, header: Header | undefined): Promise<Keys> => {
  if (header && (header.length < HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC))) {
    throw new StoreError('failed', { cause: new Error('the file is not a store') });
  }
  const [version = VERSION, cost = COST] = header?.subarray(MAGIC.length) ?? [];
  if (version > VERSION) throw new StoreError('newer');
  if (cost > 20) throw new StoreError('sealed');
  const salt = header?.subarray(16, 32) ?? randomBytes(16);
  const key =
    'passphrase' in secret
      ? await deriveKey(secret.passphrase, salt, cost)
      : await readKeyFile(secret.keyFile, header === undefined);
  return {
    next: () => Buffer.concat([MAGIC, Buffer.from([VERSION, cost]), Buffer.alloc(7), salt, randomBytes(16)]),
    of: (file) =>
      Buffer.from(hkdfSync('sha256', key, file.subarray(0, HEADER_BYTES), 'sotto store file', KEY_BYTES)),
  };
};
