import { concat, fromBase64url, lp, Reader, toBase64url, u8, u32, u64, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { sha256 } from './keys.ts';
import { I } from './labels.ts';

/** One chunk that the archive consists of. */
export interface ManifestEntry {
  position: number;
  version: number;
  /** Of the archive key that it is sealed under. */
  generation: number;
  /** SHA-256 of the sealed object: 32 bytes. */
  hash: Bytes;
}

/** All that an archive consists of at one time. */
export interface Manifest {
  account: string;
  /** Grows with each manifest; states which chunks stand, so that an older one cannot take its place. */
  version: number;
  /** In the order of their positions. */
  entries: readonly ManifestEntry[];
}

const VERSION = 1;
const HASH_BYTES = 32;
const ACCOUNT_BYTES = 32;

const sized = (bytes: Bytes, length: number): Bytes => {
  if (bytes.length !== length) throw new CryptoError('bad-encoding', `not ${length} bytes`);
  return bytes;
};

const checkOrder = (entries: readonly ManifestEntry[]): void => {
  const ordered = entries.every(({ position }, at) => at === 0 || position > entries[at - 1]!.position);
  if (!ordered) throw new CryptoError('bad-encoding', 'positions');
};

/** Throws `bad-encoding` for positions out of order or twice, and for numbers and lengths out of bounds. */
export const encodeManifest = ({ account, version, entries }: Manifest): Bytes => {
  checkOrder(entries);
  const rows = entries.map((entry) =>
    concat(u64(entry.position), u64(entry.version), u32(entry.generation), sized(entry.hash, HASH_BYTES)),
  );
  const id = sized(fromBase64url(account), ACCOUNT_BYTES);
  return concat(u8(VERSION), lp(id), u64(version), u32(entries.length), ...rows);
};

/** Throws `bad-encoding` for anything that `encodeManifest` does not write, `unsupported` for another version. */
export const decodeManifest = (bytes: Bytes): Manifest => {
  const reader = new Reader(bytes);
  if (reader.u8() !== VERSION) throw new CryptoError('unsupported');
  const account = toBase64url(sized(reader.lp(), ACCOUNT_BYTES));
  const version = reader.u64();
  const entries: ManifestEntry[] = [];
  for (let left = reader.u32(); left > 0; left -= 1) {
    const [position, entryVersion] = [reader.u64(), reader.u64()];
    entries.push({
      position,
      version: entryVersion,
      generation: reader.u32(),
      hash: reader.take(HASH_BYTES),
    });
  }
  reader.end();
  checkOrder(entries);
  return { account, version, entries };
};

/** 32 bytes: what the account chain states of a manifest. */
export const manifestHash = (encoded: Bytes): Promise<Bytes> => sha256(I('archive/manifest', encoded));
