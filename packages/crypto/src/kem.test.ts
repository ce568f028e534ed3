import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { utf8, type Bytes } from './bytes.ts';
import {
  decapsulate,
  encapsulate,
  generateKemPair,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  kemPairFromSeed,
} from './kem.ts';
import { pre } from './step.ts';
import { flipped, random, toHex } from './test-support.ts';

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const shown = async (secret: Key) => toHex(await pre(secret, utf8('x')));

/** ML-KEM as "Modern Algorithms in the Web Cryptography API" adds it, with keys that hold their bytes in a closure. */
const engine = () => {
  const seeds = new Map<Key, Uint8Array>();
  const publics = new Map<Key, Uint8Array>();
  const dataError = () => new DOMException('', 'DataError');
  const { generateKey, importKey, exportKey } = crypto.subtle;
  const handle = (usages: string[]): Key =>
    ({ type: 'x', extractable: false, algorithm: { name: 'ML-KEM-768' }, usages }) as unknown as Key;
  const fromSeed = (seed: Uint8Array) => {
    const pair = { publicKey: handle(['encapsulateKey']), privateKey: handle(['decapsulateKey']) };
    seeds.set(pair.privateKey, seed);
    publics.set(pair.publicKey, ml_kem768.keygen(seed).publicKey);
    return pair;
  };
  const own: Record<string, (...args: never[]) => unknown> = {
    generateKey: async (name: unknown, ...rest: unknown[]) =>
      name === 'ML-KEM-768'
        ? fromSeed(random(64))
        : generateKey.apply(crypto.subtle, [name, ...rest] as never),
    exportKey: async (format: string, key: Key) =>
      publics.has(key)
        ? publics.get(key)!.slice().buffer
        : exportKey.apply(crypto.subtle, [format, key] as never),
    importKey: async (format: string, bytes: Uint8Array, ...rest: unknown[]) => {
      if (format === 'raw-seed') return fromSeed(bytes.slice()).privateKey;
      if (format !== 'raw-public') return importKey.apply(crypto.subtle, [format, bytes, ...rest] as never);
      try {
        ml_kem768.encapsulate(bytes);
      } catch {
        throw dataError();
      }
      const key = handle(['encapsulateKey']);
      publics.set(key, bytes.slice());
      return key;
    },
    encapsulateKey: async (_: string, key: Key, shared: string, extractable: boolean, usages: string[]) => {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(publics.get(key)!);
      const args = ['raw', sharedSecret, shared, extractable, usages];
      return {
        ciphertext: cipherText.slice().buffer,
        sharedKey: await importKey.apply(crypto.subtle, args as never),
      };
    },
    decapsulateKey: async (
      _: string,
      key: Key,
      ciphertext: Uint8Array,
      shared: string,
      extractable: boolean,
      usages: string[],
    ) => {
      const secret = ml_kem768.decapsulate(ciphertext, ml_kem768.keygen(seeds.get(key)!).secretKey);
      return importKey.apply(crypto.subtle, ['raw', secret, shared, extractable, usages] as never);
    },
  };
  for (const [name, method] of Object.entries(own)) {
    Object.defineProperty(crypto.subtle, name, { value: method, configurable: true });
  }
  vi.stubGlobal('SubtleCrypto', { supports: (_: string, name: string) => name === 'ML-KEM-768' });
  return () => {
    for (const name of Object.keys(own)) Reflect.deleteProperty(crypto.subtle, name);
    vi.unstubAllGlobals();
  };
};

let stop: (() => void) | undefined;
afterEach(() => {
  stop?.();
  stop = undefined;
});

const roundTrip = async (pair: Awaited<ReturnType<typeof generateKemPair>>) => {
  const { ciphertext, secret } = await encapsulate(pair.publicKey);
  expect([pair.publicKey.length, ciphertext.length]).toEqual([1184, 1088]);
  expect(await shown(await decapsulate(pair, ciphertext))).toBe(await shown(secret));
  return ciphertext;
};

describe('ML-KEM-768', () => {
  it('gives both sides the same secret, in script', async () => {
    const pair = await generateKemPair();
    expect('sealed' in pair.privateKey).toBe(true);
    await roundTrip(pair);
  });

  it('gives both sides the same secret, in the engine, with keys that stay there', async () => {
    stop = engine();
    const pair = await generateKemPair();
    expect('native' in pair.privateKey).toBe(true);
    await roundTrip(pair);
  });

  it('is the same between script and engine, both ways', async () => {
    const inScript = await generateKemPair();
    stop = engine();
    const fromEngine = await encapsulate(inScript.publicKey);
    const inEngine = await generateKemPair();
    // A pair from before the engine had it goes on being used, in the engine.
    expect(await shown(await decapsulate(inScript, fromEngine.ciphertext))).toBe(
      await shown(fromEngine.secret),
    );
    stop();
    expect(await shown(await decapsulate(inScript, fromEngine.ciphertext))).toBe(
      await shown(fromEngine.secret),
    );
    const fromScript = await encapsulate(inEngine.publicKey);
    await expect(decapsulate(inEngine, fromScript.ciphertext)).rejects.toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
    stop = engine();
  });

  it("is the engine's only if the engine says so", async () => {
    stop = engine();
    vi.stubGlobal('SubtleCrypto', { supports: () => false });
    expect('sealed' in (await generateKemPair()).privateKey).toBe(true);
    vi.stubGlobal('SubtleCrypto', {});
    expect('sealed' in (await generateKemPair()).privateKey).toBe(true);
  });

  it('keeps the seed under a key that cannot be exported, bound to its public key', async () => {
    const seed = random(64);
    const pair = await kemPairFromSeed(seed);
    if (!('sealed' in pair.privateKey)) throw new Error('native');
    const { wrapping, sealed, iv } = pair.privateKey;
    expect(wrapping).toMatchObject({ extractable: false, algorithm: { name: 'AES-GCM', length: 256 } });
    expect([sealed.length, iv.length]).toEqual([80, 12]);
    expect(toHex(sealed)).not.toContain(toHex(seed.subarray(0, 8)));
    expect(structuredClone(pair)).toEqual(pair);
    const { ciphertext } = await encapsulate(pair.publicKey);
    const other = await generateKemPair();
    await expect(decapsulate({ ...pair, publicKey: other.publicKey }, ciphertext)).rejects.toThrow();
  });

  it('leaves the seed and the randomness with the caller', async () => {
    const [seed, message] = [random(64), random(32)];
    const [seedBefore, messageBefore] = [toHex(seed), toHex(message)];
    const pair = await kemPairFromSeed(seed);
    const one = await encapsulate(pair.publicKey, message);
    const two = await encapsulate(pair.publicKey, message);
    expect(toHex(one.ciphertext)).toBe(toHex(two.ciphertext));
    expect([toHex(seed), toHex(message)]).toEqual([seedBefore, messageBefore]);
  });

  it.each(['script', 'engine'])(
    'A6 takes no key of a wrong length or with a number past the modulus, in %s',
    async (where) => {
      if (where === 'engine') stop = engine();
      const { publicKey } = await generateKemPair();
      const bad: Bytes[] = [
        new Uint8Array(0),
        publicKey.slice(0, KEM_PUBLIC_BYTES - 1),
        new Uint8Array([...publicKey, 0]),
        new Uint8Array(KEM_PUBLIC_BYTES).fill(0xff),
      ];
      for (const key of bad) {
        await expect(encapsulate(key)).rejects.toThrow(expect.objectContaining({ code: 'bad-key' }));
      }
    },
  );

  it.each(['script', 'engine'])(
    'refuses a ciphertext of a wrong length and hides that another is not its own, in %s',
    async (where) => {
      if (where === 'engine') stop = engine();
      const pair = await generateKemPair();
      const { ciphertext, secret } = await encapsulate(pair.publicKey);
      for (const bad of [ciphertext.slice(1), new Uint8Array(KEM_CIPHERTEXT_BYTES + 1), new Uint8Array(0)]) {
        const code = expect.objectContaining({ code: 'bad-encoding' });
        await expect(decapsulate(pair, bad)).rejects.toThrow(code);
      }
      expect(await shown(await decapsulate(pair, flipped(ciphertext, 5)))).not.toBe(await shown(secret));
    },
  );
});
