/** What keeps Sotto from running in this browser, here. */
export type Obstacle = 'insecure' | 'no-crypto' | 'no-storage' | 'no-locks' | 'no-keys';

/** What can be told at once. `isSecureContext` first: without it browsers hide the rest. */
export const findObstacle = (): Obstacle | undefined => {
  if (!globalThis.isSecureContext) return 'insecure';
  if (typeof crypto === 'undefined' || !('subtle' in crypto)) return 'no-crypto';
  if (typeof indexedDB === 'undefined' || indexedDB === null) return 'no-storage';
  if (!('locks' in navigator)) return 'no-locks';
  return undefined;
};

const DATABASE = 'sotto-check';
const STORE = 'keys';
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

const settle = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error));
  });

const open = (): Promise<IDBDatabase> => {
  const request = indexedDB.open(DATABASE, 1);
  request.addEventListener('upgradeneeded', () => request.result.createObjectStore(STORE));
  return settle(request);
};

/**
 * True when a private key that cannot be exported comes back from IndexedDB and still signs. Some private modes
 * and embedded browsers lose it without an error.
 */
export const canKeepKeys = async (): Promise<boolean> => {
  try {
    const pair = await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
    const database = await open();
    try {
      await settle(database.transaction(STORE, 'readwrite').objectStore(STORE).put(pair.privateKey, 'key'));
      const kept: unknown = await settle(database.transaction(STORE).objectStore(STORE).get('key'));
      if (!(kept instanceof CryptoKey) || kept.extractable) return false;
      const text = new TextEncoder().encode('sotto');
      const signature = await crypto.subtle.sign(SIGNING, kept, text);
      return await crypto.subtle.verify(SIGNING, pair.publicKey, signature, text);
    } finally {
      database.close();
      indexedDB.deleteDatabase(DATABASE);
    }
  } catch {
    return false;
  }
};
