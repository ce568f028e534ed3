/**
 * Stands between a page and WebCrypto. Keeps every byte array that comes back to script or goes in as a key, and, beside
 * every key that script cannot see, works out its bytes from a twin that it keeps for itself.
 */
export interface Recorder {
  /** Byte arrays that script saw, by the call that showed them. */
  readonly seen: { call: string; bytes: Uint8Array }[];
  /** Keys that came to be as CryptoKeys alone, by the call that made them. */
  readonly secrets: { call: string; bytes: Uint8Array }[];
  /** The PKCS #8 of every EC private key, by its public key in hex. */
  readonly privateKeys: Map<string, Uint8Array>;
  /** Calls that it does not know, which would be a hole. */
  readonly unknown: string[];
  stop: () => void;
}

type Call = (...args: never[]) => Promise<unknown>;
type Raw = (...args: unknown[]) => Promise<unknown>;
type Twin = { raw: Uint8Array<ArrayBuffer> } | { key: CryptoKey };

const toHex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const copy = (data: unknown): Uint8Array<ArrayBuffer> | undefined => {
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (ArrayBuffer.isView(data))
    return new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return undefined;
};

const nameOf = (algorithm: unknown): string =>
  (typeof algorithm === 'string' ? algorithm : (algorithm as { name: string }).name).toUpperCase();

const EC = ['ECDH', 'ECDSA'];
const PLAIN = ['encrypt', 'decrypt', 'sign', 'verify', 'digest', 'deriveBits', 'wrapKey', 'exportKey'];
const BITS = ['encapsulateBits', 'decapsulateBits', 'getPublicKey'];

/** All that may be asked of a twin. */
const usagesFor = (name: string, type: KeyType): string[] => {
  if (name === 'ECDH') return type === 'private' ? ['deriveBits', 'deriveKey'] : [];
  if (name === 'ECDSA') return type === 'private' ? ['sign'] : ['verify'];
  return type === 'private' ? ['decapsulateKey', 'decapsulateBits'] : ['encapsulateKey', 'encapsulateBits'];
};

const bitsOf = (algorithm: unknown): number => {
  const { length } = algorithm as { length?: number };
  if (length !== undefined) return length;
  return nameOf(algorithm) === 'HMAC' ? 512 : 256;
};

export const record = (): Recorder => {
  const prototype = SubtleCrypto.prototype as unknown as Record<string, Call>;
  const names = Object.getOwnPropertyNames(prototype).filter(
    (name) => name !== 'constructor' && typeof prototype[name] === 'function',
  );
  const originals = new Map(names.map((name) => [name, prototype[name]!]));
  const { subtle } = crypto;
  const native = (name: string, ...args: unknown[]): Promise<unknown> =>
    (originals.get(name) as unknown as Raw).apply(subtle, args);
  const nativeKey = (...args: unknown[]) => native('importKey', ...args) as Promise<CryptoKey>;

  const seen: Recorder['seen'] = [];
  const secrets: Recorder['secrets'] = [];
  const privateKeys = new Map<string, Uint8Array>();
  const unknown: string[] = [];
  const twins = new WeakMap<CryptoKey, Twin>();

  const see = (call: string, value: unknown): void => {
    const bytes = copy(value);
    if (bytes) seen.push({ call, bytes });
    else if (typeof value === 'string') seen.push({ call, bytes: new TextEncoder().encode(value) });
    else if (typeof value === 'object' && value !== null && !(value instanceof CryptoKey))
      for (const part of Object.values(value)) see(call, part);
  };
  const keep = (call: string, key: CryptoKey, raw: Uint8Array<ArrayBuffer>): CryptoKey => {
    secrets.push({ call, bytes: raw });
    twins.set(key, { raw });
    return key;
  };
  const rawTwin = (key: CryptoKey): Uint8Array<ArrayBuffer> => {
    const twin = twins.get(key);
    if (!twin || !('raw' in twin)) throw new Error(`recorder: a ${key.type} key of unknown origin`);
    return twin.raw;
  };
  const keyTwin = (key: CryptoKey): CryptoKey => {
    const twin = twins.get(key);
    if (!twin || !('key' in twin)) throw new Error(`recorder: a ${key.type} key of unknown origin`);
    return twin.key;
  };
  const bytesOf = async (...call: [string, ...unknown[]]) => copy(await native(...call))!;

  const watch: Record<string, Raw> = {
    generateKey: async (algorithm, extractable, usages) => {
      const name = nameOf(algorithm);
      if (name.startsWith('AES') || name === 'HMAC') {
        const made = (await native('generateKey', algorithm, true, usages)) as CryptoKey;
        const raw = await bytesOf('exportKey', 'raw', made);
        return keep('generateKey', await nativeKey('raw', raw, algorithm, extractable, usages), raw);
      }
      const all = [...usagesFor(name, 'private'), ...usagesFor(name, 'public')];
      const pair = (await native('generateKey', algorithm, true, all)) as CryptoKeyPair;
      const format = EC.includes(name) ? 'pkcs8' : 'raw-seed';
      const bytes = await bytesOf('exportKey', format, pair.privateKey);
      const own = (usages as string[]).filter((usage) => usagesFor(name, 'private').includes(usage));
      const privateKey = await nativeKey(format, bytes, algorithm, extractable, own);
      twins.set(privateKey, { key: pair.privateKey });
      twins.set(pair.publicKey, { key: pair.publicKey });
      if (EC.includes(name)) privateKeys.set(toHex(await bytesOf('exportKey', 'raw', pair.publicKey)), bytes);
      return { publicKey: pair.publicKey, privateKey };
    },
    importKey: async (format, data, algorithm, extractable, usages) => {
      see('importKey', data);
      const key = await nativeKey(format, data, algorithm, extractable, usages);
      const raw = copy(data);
      if (key.type === 'secret' && raw) twins.set(key, { raw });
      else {
        const all = usagesFor(nameOf(algorithm), key.type);
        twins.set(key, { key: await nativeKey(format, data, algorithm, true, all) });
      }
      return key;
    },
    deriveKey: async (algorithm, base, derived, extractable, usages) => {
      const key = (await native('deriveKey', algorithm, base, derived, extractable, usages)) as CryptoKey;
      const from = base as CryptoKey;
      const agreed = nameOf(algorithm) === 'ECDH';
      const twin = agreed
        ? keyTwin(from)
        : await nativeKey('raw', rawTwin(from), 'HKDF', false, ['deriveBits']);
      return keep(
        'deriveKey',
        key,
        await bytesOf('deriveBits', algorithm, twin, agreed ? 256 : bitsOf(derived)),
      );
    },
    unwrapKey: async (format, wrapped, by, how, algorithm, extractable, usages) => {
      const key = (await native(
        'unwrapKey',
        format,
        wrapped,
        by,
        how,
        algorithm,
        extractable,
        usages,
      )) as CryptoKey;
      const twin = await nativeKey('raw', rawTwin(by as CryptoKey), nameOf(how), false, ['decrypt']);
      const bytes = await bytesOf('decrypt', how, twin, wrapped);
      if (key.type === 'secret') return keep('unwrapKey', key, bytes);
      const all = usagesFor(nameOf(algorithm), key.type);
      twins.set(key, { key: await nativeKey(format, bytes, algorithm, true, all) });
      secrets.push({ call: 'unwrapKey', bytes });
      return key;
    },
    encapsulateKey: async (algorithm, publicKey, derived, extractable, usages) => {
      const made = (await native('encapsulateBits', algorithm, keyTwin(publicKey as CryptoKey))) as {
        ciphertext: ArrayBuffer;
        sharedKey: ArrayBuffer;
      };
      const raw = copy(made.sharedKey)!;
      see('encapsulateKey', made.ciphertext);
      const key = await nativeKey('raw', raw, derived, extractable, usages);
      return { ciphertext: made.ciphertext, sharedKey: keep('encapsulateKey', key, raw) };
    },
    decapsulateKey: async (algorithm, privateKey, ciphertext, derived, extractable, usages) => {
      const own = keyTwin(privateKey as CryptoKey);
      const key = (await native(
        'decapsulateKey',
        algorithm,
        privateKey,
        ciphertext,
        derived,
        extractable,
        usages,
      )) as CryptoKey;
      return keep('decapsulateKey', key, await bytesOf('decapsulateBits', algorithm, own, ciphertext));
    },
  };

  for (const name of names) {
    const special = watch[name];
    const plain: Raw = async (...args) => {
      if (!PLAIN.includes(name) && !BITS.includes(name)) unknown.push(name);
      const result = await native(name, ...args);
      see(name, result);
      return result;
    };
    prototype[name] = (special ?? plain) as unknown as Call;
  }
  const { getRandomValues } = Crypto.prototype;
  Crypto.prototype.getRandomValues = function random<T extends ArrayBufferView | null>(
    this: Crypto,
    array: T,
  ): T {
    const filled = getRandomValues.call(this, array as never) as T;
    see('getRandomValues', filled);
    return filled;
  };

  return {
    seen,
    secrets,
    privateKeys,
    unknown,
    stop: () => {
      for (const [name, original] of originals) prototype[name] = original;
      Crypto.prototype.getRandomValues = getRandomValues;
    },
  };
};

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Where half of a secret, or more, stands in what script saw. */
export const findLeaks = ({ seen, secrets }: Pick<Recorder, 'seen' | 'secrets'>): string[] => {
  const halves = new Map<string, string>();
  for (const { call, bytes } of secrets) {
    const half = Math.ceil(bytes.length / 2);
    for (let at = 0; at + half <= bytes.length; at += 1)
      halves.set(text(bytes.subarray(at, at + half)), call);
  }
  const lengths = new Set([...halves.keys()].map((half) => half.length));
  const leaks: string[] = [];
  for (const { call, bytes } of seen)
    for (const length of lengths)
      for (let at = 0; at + length <= bytes.length; at += 1) {
        const origin = halves.get(text(bytes.subarray(at, at + length)));
        if (origin !== undefined) leaks.push(`${call} showed a key of ${origin}`);
      }
  return [...new Set(leaks)];
};
