// What the scripts here have in common: keys and signatures that do not change from run to run.
import { createECDH, createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { importPair } from '../src/test-support.ts';

const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export const createdAt = 1_767_225_600_000;

/** Bytes that a name stands for: the first of SHA-256 of `sotto test <name>`, up to 32. */
export const fixed = (name, length = 32) =>
  new Uint8Array(createHash('sha256').update(`sotto test ${name}`).digest().subarray(0, length));

/** A key pair whose scalar is `fixed('key <name>')`. */
export const key = async (algorithm, name) => {
  const privateKey = Buffer.from(fixed(`key ${name}`));
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(privateKey);
  const hex = { private: privateKey.toString('hex'), public: ecdh.getPublicKey('hex') };
  return { hex, pair: await importPair(algorithm, hex.private, hex.public) };
};

const toInteger = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const scalar = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');

const inverse = (value) => {
  let [a, b, x, y] = [value % N, N, 1n, 0n];
  while (a > 1n) {
    const q = b / a;
    [a, b, x, y] = [b % a, a, y - q * x, x];
  }
  return ((x % N) + N) % N;
};

/** ECDSA with a nonce out of key and message: for vectors alone. Low s. */
export const sign = (privateHex, message) => {
  const d = Buffer.from(privateHex, 'hex');
  const nonce = createHash('sha256').update('sotto test nonce').update(d).update(message).digest();
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(nonce);
  const r = toInteger(ecdh.getPublicKey().subarray(1, 33)) % N;
  const z = toInteger(createHash('sha256').update(message).digest());
  const s = (inverse(toInteger(nonce)) * (z + r * toInteger(d))) % N;
  return new Uint8Array(Buffer.concat([scalar(r), scalar(s > N / 2n ? N - s : s)]));
};

/** Beside this file, or in the folder that `VECTORS` names. */
export const write = (name, vectors) =>
  writeFileSync(
    path.join(process.env.VECTORS ?? import.meta.dirname, name),
    `${JSON.stringify(vectors, null, 2)}\n`,
  );
