import { KeyObject, type webcrypto } from 'node:crypto';
import type { Foreign } from '@sotto/engine/pack';

interface StoredKey {
  type: CryptoKey['type'];
  algorithm: CryptoKey['algorithm'];
  usages: CryptoKey['usages'];
  extractable: boolean;
  bytes: Uint8Array<ArrayBuffer>;
}

/** What stands for a CryptoKey in a packed row: Node hands out every key, extractable or not. */
export const storedKey: Foreign = (object) => {
  if (!(object instanceof CryptoKey)) return undefined;
  const { type, algorithm, usages, extractable } = object;
  const key = KeyObject.from(object as webcrypto.CryptoKey);
  const bytes =
    type === 'secret'
      ? key.export()
      : key.export({ format: 'der', type: type === 'private' ? 'pkcs8' : 'spki' });
  const stored: StoredKey = { type, algorithm, usages, extractable, bytes: new Uint8Array(bytes) };
  return { '\0key': stored };
};

const FORMATS = { secret: 'raw', private: 'pkcs8', public: 'spki' } as const;

const importKey = ({ type, algorithm, usages, extractable, bytes }: StoredKey): Promise<CryptoKey> =>
  crypto.subtle.importKey(FORMATS[type], bytes, algorithm as AlgorithmIdentifier, extractable, usages);

/** Puts the keys back, as extractable as they were, in all that was unpacked into `value`. */
export const restoreKeys = async (value: unknown): Promise<void> => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  const members = value as Record<string, unknown>;
  const work: Promise<void>[] = [];
  for (const [name, member] of Object.entries(members)) {
    if (typeof member !== 'object' || member === null) continue;
    const stored = (member as { '\0key'?: StoredKey })['\0key'];
    work.push(
      stored
        ? importKey(stored).then((key) => {
            members[name] = key;
          })
        : restoreKeys(member),
    );
  }
  await Promise.all(work);
};
