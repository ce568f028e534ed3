import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { StoreError } from '@sotto/engine/ports';
import { ifThere, syncFolderOf, writeAt } from './files.ts';
import { HEADER_BYTES, openSecret, type Secret } from './secret.ts';

/**
 * A record: MARK, the length of what is sealed (4 bytes), CRC-32 of that length and of what is sealed (4), then what is
 * sealed: initialisation vector (12), ciphertext, tag (16). It is bound to its number in the file, and by the key to the file.
 */
const MARK = Buffer.from('9d0a53f7', 'hex');
const FRAME_BYTES = 12;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

const bindingOf = (number: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes;
};

const seal = (key: Buffer, number: number, body: Uint8Array): Buffer => {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv).setAAD(bindingOf(number));
  const sealed = [iv, cipher.update(body), cipher.final(), cipher.getAuthTag()];
  const frame = Buffer.alloc(FRAME_BYTES);
  MARK.copy(frame);
  frame.writeUInt32BE(IV_BYTES + body.length + TAG_BYTES, 4);
  const whole = Buffer.concat([frame, ...sealed]);
  whole.writeUInt32BE(checksumOf(whole), 8);
  return whole;
};

const checksumOf = (record: Buffer): number =>
  crc32(record.subarray(FRAME_BYTES), crc32(record.subarray(4, 8)));

const unseal = (key: Buffer, number: number, record: Buffer): Uint8Array<ArrayBuffer> => {
  const sealed = record.subarray(FRAME_BYTES);
  const end = sealed.length - TAG_BYTES;
  try {
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(bindingOf(number)).setAuthTag(sealed.subarray(end));
    return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, end)), decipher.final()]));
  } catch (cause) {
    throw new StoreError('sealed', { cause });
  }
};

/** The record that begins at `at`, if one does and all of it is there. */
const recordAt = (bytes: Buffer, at: number): Buffer | undefined => {
  if (bytes.length - at < FRAME_BYTES + IV_BYTES + TAG_BYTES) return undefined;
  if (!bytes.subarray(at, at + MARK.length).equals(MARK)) return undefined;
  const record = bytes.subarray(at, at + FRAME_BYTES + bytes.readUInt32BE(at + 4));
  const isWhole = record.length === FRAME_BYTES + bytes.readUInt32BE(at + 4);
  return isWhole && checksumOf(record) === bytes.readUInt32BE(at + 8) ? record : undefined;
};

/** Each record is written when the one before it is on the disk: only the last can be half there. */
const isTail = (bytes: Buffer, at: number): boolean => {
  for (let next = bytes.indexOf(MARK, at + 1); next !== -1; next = bytes.indexOf(MARK, next + 1)) {
    if (recordAt(bytes, next)) return false;
  }
  return true;
};

const recordsOf = (bytes: Buffer): { records: Buffer[]; end: number } => {
  const records: Buffer[] = [];
  let end = HEADER_BYTES;
  for (;;) {
    const record = recordAt(bytes, end);
    if (!record) break;
    records.push(record);
    end += record.length;
  }
  if (!isTail(bytes, end)) throw new StoreError('failed', { cause: new Error(`damaged at byte ${end}`) });
  return { records, end };
};

/** A file of sealed records. Its calls are made one after the other. */
export interface Journal {
  /** Of the file, in bytes. */
  readonly size: number;
  /**
   * Resolves when the record is on the disk. Nothing of it is there if that fails.
   *
   * @throws StoreError `superseded`: another has written the file, or has put another in its place
   */
  append(body: Uint8Array): Promise<void>;
  /** Puts a new file of these records in the place of the whole. */
  rewrite(bodies: Iterable<Uint8Array>): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the file at `path`, or makes it, hands over its records and cuts off one that was written half. The lock is held.
 *
 * @throws StoreError `sealed`: it does not open under this secret. `failed`: it is damaged elsewhere than at its end
 */
export const openJournal = async (
  path: string,
  secret: Secret,
  onRecord: (body: Uint8Array<ArrayBuffer>) => void,
): Promise<Journal> => {
  const bytes = await ifThere(readFile(path));
  const keys = await openSecret(secret, bytes?.subarray(0, HEADER_BYTES));
  let file: FileHandle | undefined;
  let key: Buffer;
  let size = 0;
  let count = 0;
  /** What is on the disk is not known: nothing more is written before it is opened again. */
  let broken: unknown;

  const check = async (): Promise<void> => {
    if (broken) throw new StoreError('failed', { cause: broken });
    const [mine, there] = await Promise.all([file!.stat(), ifThere(stat(path))]);
    if (!there) throw new StoreError('closed', { cause: new Error(`${path} is gone`) });
    const same = mine.dev === there.dev && mine.ino === there.ino && there.size === size;
    if (!same) throw new StoreError('superseded');
  };

  const write = async (next: FileHandle, bodies: Iterable<Uint8Array>) => {
    const header = keys.next();
    const made = { key: keys.of(header), size: header.length, count: 0 };
    await writeAt(next, header, 0);
    for (const body of bodies) {
      const record = seal(made.key, made.count, body);
      await writeAt(next, record, made.size);
      made.size += record.length;
      made.count += 1;
    }
    await next.sync();
    return made;
  };

  const rewrite = async (bodies: Iterable<Uint8Array>): Promise<void> => {
    if (file) await check();
    const fresh = `${path}.new`;
    const next = await open(fresh, 'w', 0o600);
    try {
      const made = await write(next, bodies);
      await rename(fresh, path);
      ({ key, size, count } = made);
    } catch (error) {
      await next.close();
      await rm(fresh, { force: true });
      throw error;
    }
    const old = file;
    file = next;
    try {
      await old?.close();
      await syncFolderOf(path);
    } catch (error) {
      broken = error;
      throw error;
    }
  };

  if (bytes) {
    const { records, end } = recordsOf(bytes);
    key = keys.of(bytes);
    for (const record of records) onRecord(unseal(key, count++, record));
    // One that was cut off here and is back after a loss of power is cut off again: no need to wait for the disk.
    if (bytes.length > end) await truncate(path, end);
    file = await open(path, 'r+');
    size = end;
  } else await rewrite([]);

  return {
    get size() {
      return size;
    },
    async append(body) {
      await check();
      const record = seal(key, count, body);
      try {
        await writeAt(file!, record, size);
        await file!.datasync();
      } catch (error) {
        try {
          await file!.truncate(size);
          await file!.sync();
        } catch (cause) {
          broken = cause;
        }
        throw error;
      }
      size += record.length;
      count += 1;
    },
    rewrite,
    close: async () => file?.close(),
  };
};
