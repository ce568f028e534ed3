import type { ArchiveKey } from './archive-key.ts';
import { concat, fromBase64url, lp, Reader, u8, u64, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { I } from './labels.ts';
import { deriveGcm } from './step.ts';

/** Where an object of the archive stands: which account's, which of its chunks or its manifest, in which version. */
export interface ArchivePlace {
  account: string;
  /** A chunk's number, or the manifest. */
  position: number | 'manifest';
  /** Grows each time an object is written anew: no two contents of one place share one. */
  version: number;
}

const ACCOUNT_BYTES = 32;
const IV_BYTES = 12;
const KINDS = { manifest: 0, chunk: 1 } as const;

/** `lp(account u8(kind) u64(position)) u64(version)`. Throws `bad-encoding`. */
const context = ({ account, position, version }: ArchivePlace): Bytes => {
  const id = fromBase64url(account);
  if (id.length !== ACCOUNT_BYTES) throw new CryptoError('bad-encoding', 'account');
  const at =
    position === 'manifest' ? concat(u8(KINDS.manifest), u64(0)) : concat(u8(KINDS.chunk), u64(position));
  return concat(lp(concat(id, at)), u64(version));
};

const gcm = (iv: Bytes, place: Bytes) => ({
  name: 'AES-GCM',
  iv,
  additionalData: I('archive', place),
  tagLength: 128,
});

/**
 * An object of the archive, for the relay to keep: `iv(12) ciphertext`. Its key is of this place and version alone.
 * `iv` is random unless given. Throws `bad-encoding` for a place out of bounds.
 */
export const sealArchiveObject = async (
  request: ArchivePlace & { key: ArchiveKey; plaintext: Bytes; iv?: Bytes },
): Promise<Bytes> => {
  const { key, plaintext, iv = crypto.getRandomValues(new Uint8Array(IV_BYTES)) } = request;
  const place = context(request);
  const objectKey = await deriveGcm(key, 'archive', place, ['encrypt']);
  return concat(iv, new Uint8Array(await crypto.subtle.encrypt(gcm(iv, place), objectKey, plaintext)));
};

/**
 * What was sealed for this very place and version. Throws `archive-invalid` for everything else: an older version,
 * another chunk, another account's; `bad-encoding` for a place out of bounds.
 */
export const openArchiveObject = async (
  request: ArchivePlace & { key: ArchiveKey; sealed: Bytes },
): Promise<Bytes> => {
  const { key, sealed } = request;
  const place = context(request);
  const objectKey = await deriveGcm(key, 'archive', place, ['decrypt']);
  try {
    const reader = new Reader(sealed);
    const iv = reader.take(IV_BYTES);
    return new Uint8Array(await crypto.subtle.decrypt(gcm(iv, place), objectKey, reader.rest()));
  } catch (error) {
    const refused = error instanceof CryptoError || (error as Error).name === 'OperationError';
    throw refused ? new CryptoError('archive-invalid') : error;
  }
};
