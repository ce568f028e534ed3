import { concat, equal, lp, u8, u32, u64, type Bytes } from './bytes.ts';
import { cut, type ByteSource } from './attachment-source.ts';
import { CryptoError } from './errors.ts';
import { sha256, type PrivateKey } from './keys.ts';
import { I } from './labels.ts';

/** What a message says of a file; whoever has it can read the file. */
export interface AttachmentReference {
  /** 32 bytes, of this file alone. */
  key: Bytes;
  /** Bytes of the file. */
  size: number;
  /** Over the ciphertext: 32 bytes. */
  hash: Bytes;
}

/** Bytes of the file in one chunk; the last one holds less, and nothing only when the file is empty. */
export const CHUNK_BYTES = 256 * 1024;

const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const OVERHEAD = IV_BYTES + TAG_BYTES;
const SEALED_CHUNK_BYTES = CHUNK_BYTES + OVERHEAD;
// One key serves 2^30 random IVs.
const MAX_BYTES = CHUNK_BYTES * 2 ** 30;
// Chunks under way at once: hashing of one beside encryption of the next. What is held does not grow with the file.
const IN_FLIGHT = 4;

interface Part {
  bytes: Bytes;
  index: number;
  last: boolean;
}

const checkSize = (size: number): void => {
  if (!Number.isSafeInteger(size) || size < 0 || size > MAX_BYTES)
    throw new CryptoError('bad-encoding', 'size');
};

const chunkCount = (size: number): number => Math.max(1, Math.ceil(size / CHUNK_BYTES));

/** Bytes of the ciphertext of a file of `size` bytes. Throws `bad-encoding` for a size out of bounds. */
export const sealedLength = (size: number): number => {
  checkSize(size);
  return size + OVERHEAD * chunkCount(size);
};

const gcm = (iv: Bytes, index: number, last: boolean) => ({
  name: 'AES-GCM',
  iv,
  additionalData: I('attachment', concat(u32(index), u8(last ? 1 : 0))),
  tagLength: 8 * TAG_BYTES,
});

const importKey = (key: Bytes, usage: 'encrypt' | 'decrypt'): Promise<PrivateKey> => {
  if (key.length !== KEY_BYTES) throw new CryptoError('bad-encoding', 'key');
  return crypto.subtle.importKey('raw', key, 'AES-GCM', false, [usage]);
};

/** WebCrypto hashes in one go only: the ciphertext's hash is a chain over the hashes of its chunks. */
class Hash {
  #state: Bytes = new Uint8Array(32);

  async add(chunk: Bytes): Promise<void> {
    this.#state = await sha256(concat(this.#state, chunk));
  }

  end(size: number): Promise<Bytes> {
    return sha256(I('attachment', concat(lp(this.#state), u64(size))));
  }
}

/** Starts work on parts as they come, a few at a time, and finishes it in their order. */
const inOrder = async <T>(
  parts: AsyncIterable<Part>,
  start: (part: Part) => Promise<T>,
  finish: (result: T) => Promise<void>,
): Promise<void> => {
  const running: Promise<T>[] = [];
  for await (const part of parts) {
    const work = start(part);
    // It is awaited below, or something before it failed and it does not matter.
    work.catch(() => {});
    running.push(work);
    if (running.length === IN_FLIGHT) await finish(await running.shift()!);
  }
  for (const work of running) await finish(await work);
};

const encryptChunk = async (key: PrivateKey, { bytes, index, last }: Part, iv: Bytes): Promise<Bytes> =>
  concat(iv, new Uint8Array(await crypto.subtle.encrypt(gcm(iv, index, last), key, bytes)));

const decryptChunk = async (key: PrivateKey, { bytes, index, last }: Part): Promise<Bytes> => {
  // Not every engine refuses a short IV.
  if (bytes.length < OVERHEAD) throw new CryptoError('attachment-invalid');
  try {
    const iv = bytes.subarray(0, IV_BYTES);
    const sealed = bytes.subarray(IV_BYTES);
    return new Uint8Array(await crypto.subtle.decrypt(gcm(iv, index, last), key, sealed));
  } catch (error) {
    throw (error as Error).name === 'OperationError' ? new CryptoError('attachment-invalid') : error;
  }
};

/**
 * Encrypts a file while it is read: hands each sealed chunk to `write`, in order and one after the other, and gives
 * the reference once all are written. Errors of `source` and `write` come through. `key` and `iv` are random unless
 * given; a key serves one file. Throws `bad-encoding` past 2^48 bytes.
 */
export const encryptAttachment = async (request: {
  source: ByteSource;
  write: (chunk: Bytes) => void | Promise<void>;
  key?: Bytes;
  iv?: (index: number) => Bytes;
}): Promise<AttachmentReference> => {
  const { source, write, key = crypto.getRandomValues(new Uint8Array(KEY_BYTES)) } = request;
  const iv = request.iv ?? (() => crypto.getRandomValues(new Uint8Array(IV_BYTES)));
  const encryption = await importKey(key, 'encrypt');
  const hash = new Hash();
  let size = 0;
  await inOrder(
    cut(source, CHUNK_BYTES),
    async (part) => {
      size += part.bytes.length;
      checkSize(size);
      const sealed = await encryptChunk(encryption, part, iv(part.index));
      return { sealed, digest: await sha256(sealed) };
    },
    async ({ sealed, digest }) => {
      await hash.add(digest);
      await write(sealed);
    },
  );
  return { key: new Uint8Array(key), size, hash: await hash.end(size) };
};

/**
 * Decrypts a file while it comes in: hands each chunk to `write`, in order and one after the other, as soon as that
 * chunk is known to be the one that belongs there. Only when the whole returns is the file complete: on any error,
 * discard what was written. Throws `attachment-invalid` for a ciphertext that is cut, longer, changed, reordered or of
 * another file; `bad-encoding` for a malformed reference. Errors of `source` and `write` come through.
 */
export const decryptAttachment = async (request: {
  reference: AttachmentReference;
  source: ByteSource;
  write: (chunk: Bytes) => void | Promise<void>;
}): Promise<void> => {
  const { reference, source, write } = request;
  checkSize(reference.size);
  const decryption = await importKey(reference.key, 'decrypt');
  const expected = chunkCount(reference.size);
  const hash = new Hash();
  let size = 0;
  await inOrder(
    cut(source, SEALED_CHUNK_BYTES),
    async (part) => {
      if (part.index >= expected) throw new CryptoError('attachment-invalid');
      const [opened, digest] = await Promise.all([decryptChunk(decryption, part), sha256(part.bytes)]);
      return { opened, digest };
    },
    async ({ opened, digest }) => {
      size += opened.length;
      await hash.add(digest);
      await write(opened);
    },
  );
  if (size !== reference.size || !equal(await hash.end(size), reference.hash))
    throw new CryptoError('attachment-invalid');
};

/** The bytes of the ciphertext that hold a range of a file. */
export interface SealedRange {
  /** The first byte. */
  start: number;
  /** The one behind the last. */
  end: number;
}

const checkRange = (size: number, start: number, end: number): void => {
  checkSize(size);
  const integers = Number.isSafeInteger(start) && Number.isSafeInteger(end);
  if (!integers || start < 0 || end <= start || end > size) throw new CryptoError('bad-encoding', 'range');
};

/**
 * What to ask for, to read the bytes of a file from `start` up to `end`, which is not among them. Throws
 * `bad-encoding` for an empty range and one that is not within the file.
 */
export const sealedRange = ({ size }: { size: number }, start: number, end: number): SealedRange => {
  checkRange(size, start, end);
  const first = Math.floor(start / CHUNK_BYTES);
  const behind = Math.ceil(end / CHUNK_BYTES);
  return {
    start: first * SEALED_CHUNK_BYTES,
    end: Math.min(behind * SEALED_CHUNK_BYTES, sealedLength(size)),
  };
};

/**
 * The bytes of a file from `start` up to `end` out of the ciphertext that `sealedRange` names. Every chunk proves that
 * it belongs there; the hash, which is over the whole, is not looked at. Throws `attachment-invalid`, and
 * `bad-encoding` for a range or reference out of bounds.
 */
export const decryptRange = async (request: {
  reference: Pick<AttachmentReference, 'key' | 'size'>;
  start: number;
  end: number;
  ciphertext: Bytes;
}): Promise<Bytes> => {
  const { reference, start, end, ciphertext } = request;
  const range = sealedRange(reference, start, end);
  const key = await importKey(reference.key, 'decrypt');
  if (ciphertext.length !== range.end - range.start) throw new CryptoError('attachment-invalid');
  const first = range.start / SEALED_CHUNK_BYTES;
  const behind = chunkCount(reference.size);
  const opened: Bytes[] = [];
  for (let at = 0; at < ciphertext.length; at += SEALED_CHUNK_BYTES) {
    const index = first + at / SEALED_CHUNK_BYTES;
    const bytes = ciphertext.subarray(at, at + SEALED_CHUNK_BYTES);
    opened.push(await decryptChunk(key, { bytes, index, last: index === behind - 1 }));
  }
  const whole = concat(...opened);
  return whole.slice(start - first * CHUNK_BYTES, end - first * CHUNK_BYTES);
};
