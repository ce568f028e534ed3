import { concat, equal, type Bytes } from '../src/bytes.ts';
import { CryptoError } from '../src/errors.ts';
import { decapsulate, encapsulate, generateKemPair, kemPairFromSeed } from '../src/kem.ts';
import { verify } from '../src/keys.ts';
import { agreeInput, pre, type Input } from '../src/step.ts';
import { fromHex, toHex } from '../src/test-support.ts';

/** What came of a file: how many of its vectors apply, and what went wrong with which. */
export interface Outcome {
  applied: number;
  wrong: string[];
}

interface Test {
  tcId: number;
  comment?: string;
  result: 'valid' | 'invalid' | 'acceptable';
}

interface File<G> {
  numberOfTests: number;
  testGroups: G[];
}

/** Runs every vector; `judge` says what is wrong with one, or nothing. */
const each = async <G extends { tests: Test[] }>(
  groups: readonly G[],
  judge: (test: G['tests'][number], group: G) => Promise<string | undefined>,
): Promise<Outcome> => {
  const outcome: Outcome = { applied: 0, wrong: [] };
  for (const group of groups)
    for (const test of group.tests) {
      outcome.applied += 1;
      const wrong = await judge(test, group);
      if (wrong !== undefined) outcome.wrong.push(`${test.tcId} (${test.comment ?? ''}): ${wrong}`);
    }
  return outcome;
};

/** What `work` gives, or undefined where the engine or the package refuses. */
const attempt = async (work: () => Promise<ArrayBuffer>): Promise<string | undefined> => {
  try {
    return toHex(new Uint8Array(await work()));
  } catch {
    return undefined;
  }
};

const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

type EcdsaGroup = { publicKey: { uncompressed: string }; tests: (Test & { msg: string; sig: string })[] };

const ecdsa = ({ testGroups }: File<EcdsaGroup>): Promise<Outcome> =>
  each(testGroups, async (test, { publicKey }) => {
    const signature = fromHex(test.sig);
    const accepts = (bytes: Bytes) => verify(fromHex(publicKey.uncompressed), bytes, fromHex(test.msg));
    const accepted = await accepts(signature);
    if (test.result !== 'valid') return accepted ? 'an invalid signature is accepted' : undefined;
    const s = BigInt(`0x${test.sig.slice(64)}`);
    if (s <= N / 2n) return accepted ? undefined : 'a valid low-s signature is refused';
    if (accepted) return 'a high-s signature is accepted';
    const low = concat(signature.subarray(0, 32), fromHex((N - s).toString(16).padStart(64, '0')));
    return (await accepts(low)) ? undefined : 'the low-s twin of a valid signature is refused';
  });

/** PKCS #8 of a scalar without its public key, so that the vector's scalar is all that goes in. */
const pkcs8 = (scalar: string): Bytes =>
  fromHex(
    `3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420${scalar.slice(-64).padStart(64, '0')}`,
  );

const ECDH = { name: 'ECDH', namedCurve: 'P-256' };
const INFO = new Uint8Array(1);

type EcdhGroup = { tests: (Test & { public: string; private: string; shared: string })[] };

const ecdh = ({ testGroups }: File<EcdhGroup>): Promise<Outcome> =>
  each(testGroups, async (test) => {
    const point = fromHex(test.public);
    try {
      const own = await crypto.subtle.importKey('pkcs8', pkcs8(test.private), ECDH, false, ['deriveKey']);
      const seen = await pre(await agreeInput(own, point), INFO);
      if (test.result !== 'valid') return 'the public key is accepted';
      const shared = await crypto.subtle.importKey('raw', fromHex(test.shared), 'HKDF', false, [
        'deriveBits',
      ]);
      return equal(seen, await pre(shared, INFO)) ? undefined : 'another shared secret';
    } catch (error) {
      if (!(error instanceof CryptoError)) return `failed: ${String(error)}`;
      return test.result === 'valid' ? 'a valid public key is refused' : undefined;
    }
  });

type AeadGroup = {
  keySize: number;
  ivSize: number;
  tagSize: number;
  tests: (Test & { key: string; iv: string; aad: string; msg: string; ct: string; tag: string })[];
};

const aead = ({ testGroups }: File<AeadGroup>): Promise<Outcome> =>
  each(
    testGroups.filter(({ keySize, ivSize, tagSize }) => keySize === 256 && ivSize === 96 && tagSize === 128),
    async (test) => {
      const key = await crypto.subtle.importKey('raw', fromHex(test.key), 'AES-GCM', false, [
        'encrypt',
        'decrypt',
      ]);
      const parameters = {
        name: 'AES-GCM',
        iv: fromHex(test.iv),
        additionalData: fromHex(test.aad),
        tagLength: 128,
      };
      const sealed = fromHex(test.ct + test.tag);
      const opened = await attempt(() => crypto.subtle.decrypt(parameters, key, sealed));
      if (test.result !== 'valid') return opened === undefined ? undefined : 'it opens';
      if (opened !== test.msg) return 'it does not open';
      const again = await attempt(() => crypto.subtle.encrypt(parameters, key, fromHex(test.msg)));
      return again === test.ct + test.tag ? undefined : 'another ciphertext';
    },
  );

type HkdfGroup = {
  tests: (Test & { ikm: string; salt: string; info: string; size: number; okm: string })[];
};

const hkdf = ({ testGroups }: File<HkdfGroup>): Promise<Outcome> =>
  each(testGroups, async (test) => {
    const key = await crypto.subtle.importKey('raw', fromHex(test.ikm), 'HKDF', false, ['deriveBits']);
    const parameters = { name: 'HKDF', hash: 'SHA-256', salt: fromHex(test.salt), info: fromHex(test.info) };
    const okm = await attempt(() => crypto.subtle.deriveBits(parameters, key, 8 * test.size));
    if (test.result !== 'valid') return okm === undefined ? undefined : 'it derives';
    return okm === test.okm ? undefined : 'another key';
  });

type MacGroup = { tagSize: number; tests: (Test & { key: string; msg: string; tag: string })[] };

const hmac = ({ testGroups }: File<MacGroup>): Promise<Outcome> =>
  each(
    testGroups.filter(({ tagSize }) => tagSize === 256),
    async (test) => {
      const algorithm = { name: 'HMAC', hash: 'SHA-256' };
      const key = await crypto.subtle.importKey('raw', fromHex(test.key), algorithm, false, [
        'sign',
        'verify',
      ]);
      const own = new Uint8Array(await crypto.subtle.sign(algorithm, key, fromHex(test.msg)));
      const accepted = await crypto.subtle.verify(algorithm, key, fromHex(test.tag), fromHex(test.msg));
      const right = test.result === 'valid';
      return accepted === right && equal(own, fromHex(test.tag)) === right ? undefined : 'another tag';
    },
  );

/** Whether this engine has ML-KEM, so that keys are made there. */
export const hasNativeKem = async (): Promise<boolean> => 'native' in (await generateKemPair()).privateKey;

/** As in an engine without ML-KEM. */
const inScript = async <T>(work: () => Promise<T>): Promise<T> => {
  const { SubtleCrypto: type } = globalThis as { SubtleCrypto?: { supports?: unknown } };
  if (!type?.supports) return work();
  const { supports } = type;
  type.supports = () => false;
  try {
    return await work();
  } finally {
    type.supports = supports;
  }
};

const sameSecret = async (secret: Input, expected: string): Promise<boolean> => {
  const shared = await crypto.subtle.importKey('raw', fromHex(expected), 'HKDF', false, ['deriveBits']);
  return equal(await pre(secret, INFO), await pre(shared, INFO));
};

/** What is wrong with what is refused: nothing, if it is invalid and refused as it should be. */
const refusal = (test: Test, error: unknown, code: string): string | undefined => {
  if (test.result === 'valid') return `refused: ${String(error)}`;
  return error instanceof CryptoError && error.code === code ? undefined : `failed: ${String(error)}`;
};

const SEED_BYTES = 64;

type DecapsulationGroup = { tests: (Test & { seed: string; ek?: string; c: string; K: string })[] };

/** By the engine, where it has ML-KEM, and by script. */
const decapsulation = ({ testGroups }: File<DecapsulationGroup>): Promise<Outcome> =>
  each(testGroups, async (test) => {
    const seed = fromHex(test.seed);
    const pair = await kemPairFromSeed(seed).catch(() => undefined);
    if (!pair) return seed.length === SEED_BYTES ? 'no key comes of the seed' : undefined;
    if (seed.length !== SEED_BYTES) return 'a key comes of a seed of another length';
    if (test.ek !== undefined && toHex(pair.publicKey) !== test.ek) return 'another public key';
    const judge = async () => {
      try {
        const secret = await decapsulate(pair, fromHex(test.c));
        if (test.result !== 'valid') return 'it decapsulates';
        return (await sameSecret(secret, test.K)) ? undefined : 'another secret';
      } catch (error) {
        return refusal(test, error, 'bad-encoding');
      }
    };
    return (await judge()) ?? inScript(judge);
  });

type EncapsulationGroup = { tests: (Test & { m: string; ek: string; c: string; K: string })[] };

/** With the randomness of the vector by script, with its own by the engine. */
const encapsulation = ({ testGroups }: File<EncapsulationGroup>): Promise<Outcome> =>
  each(testGroups, async (test) => {
    const publicKey = fromHex(test.ek);
    try {
      const { ciphertext, secret } = await encapsulate(publicKey, fromHex(test.m));
      if (test.result !== 'valid') return 'the public key is accepted';
      if (toHex(ciphertext) !== test.c) return 'another ciphertext';
      if (!(await sameSecret(secret, test.K))) return 'another secret';
    } catch (error) {
      const wrong = refusal(test, error, 'bad-key');
      if (wrong !== undefined) return wrong;
    }
    try {
      await encapsulate(publicKey);
      return test.result === 'valid' ? undefined : 'the engine accepts the public key';
    } catch (error) {
      return refusal(test, error, 'bad-key');
    }
  });

/** Each file, how many of its vectors apply, and what runs them. */
export const SUITES = {
  ecdsa_secp256r1_sha256_p1363_test: { applies: 252, run: ecdsa },
  ecdh_secp256r1_ecpoint_test: { applies: 355, run: ecdh },
  aes_gcm_test: { applies: 66, run: aead },
  hkdf_sha256_test: { applies: 86, run: hkdf },
  hmac_sha256_test: { applies: 87, run: hmac },
  mlkem_768_test: { applies: 193, run: decapsulation },
  mlkem_768_encaps_test: { applies: 265, run: encapsulation },
} as const;

export type SuiteName = keyof typeof SUITES;

export const SUITE_NAMES = Object.keys(SUITES) as SuiteName[];

/** Runs a file's vectors. `json` is the file as published. */
export const runSuite = (name: SuiteName, json: unknown): Promise<Outcome> =>
  (SUITES[name].run as (file: unknown) => Promise<Outcome>)(json);
