import { describe, expect, it } from 'vitest';
import * as reference from '../vectors/session-reference.mjs';
import { fromBase64url, utf8, type Bytes } from './bytes.ts';
import { generateAgreementKey, importAgreementKey, type KeyPair } from './keys.ts';
import { agreeInput, agreeOpaque, deriveGcm, messageKey, nextChain, pre, rootStep, step } from './step.ts';
import { BAD_POINTS, flipped, random, toHex } from './test-support.ts';

const opaque = (bytes: Bytes) => crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey']);

/** Encrypts with the key of a chain as the reference would decrypt. */
const sameChain = async (chain: Awaited<ReturnType<typeof opaque>>, bytes: Bytes) => {
  const key = await messageKey(chain, ['encrypt']);
  const iv = random(12);
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, utf8('text'));
  return reference.decrypt(reference.messageKey(bytes), iv, new Uint8Array(0), new Uint8Array(sealed));
};

const text = toHex(utf8('text'));

describe('the opaque step', () => {
  it('is two AES blocks under a key of HKDF, as an independent implementation has it', async () => {
    for (let i = 0; i < 10; i += 1) {
      const [key, salt, info] = [random(32), random(32), random(i)];
      const next = await step(await opaque(key), salt, info);
      expect(toHex(await sameChain(next, reference.step(key, salt, info)))).toBe(text);
      const chained = await nextChain(await nextChain(await opaque(key)));
      const steps = reference.nextChain(reference.nextChain(key));
      expect(toHex(await sameChain(chained, steps))).toBe(text);
    }
  });

  it('gives keys that no script can read, and that can do one thing only', async () => {
    const key = await opaque(random(32));
    const next = await step(key, random(32), utf8('x'));
    expect(next).toMatchObject({ extractable: false, usages: ['deriveKey'], algorithm: { name: 'HKDF' } });
    const message = await messageKey(next, ['decrypt']);
    expect(message).toMatchObject({
      extractable: false,
      usages: ['decrypt'],
      algorithm: { name: 'AES-GCM', length: 256 },
    });
    const signal = await deriveGcm(next, 'signal', utf8('x'), ['encrypt']);
    for (const one of [key, next, message, signal]) {
      await expect(crypto.subtle.exportKey('raw', one)).rejects.toThrow();
    }
    const bits = { name: 'HKDF', hash: 'SHA-256', salt: random(32), info: random(1) };
    await expect(crypto.subtle.deriveBits(bits, next, 256)).rejects.toThrow();
  });

  it.each([0, 16, 31, 33, 64])('refuses a salt of %d bytes', async (length) => {
    const code = expect.objectContaining({ code: 'bad-encoding' });
    await expect(step(await opaque(random(32)), random(length), utf8('x'))).rejects.toThrow(code);
  });

  it('separates by key, salt, info and label', async () => {
    const [key, salt, info] = [random(32), random(32), random(8)];
    const next = reference.step(key, salt, info);
    const others = [
      step(await opaque(flipped(key, 0)), salt, info),
      step(await opaque(key), flipped(salt, 31), info),
      step(await opaque(key), salt, flipped(info, 7)),
      nextChain(await opaque(key)),
    ];
    for (const other of others) {
      await expect(sameChain(await other, next)).rejects.toThrow();
    }
  });
});

describe('the root step', () => {
  const scalar = async (pair: KeyPair) => {
    const jwk = await crypto.subtle.exportKey('jwk', pair.privateKey);
    return fromBase64url(jwk.d!);
  };
  const testPair = async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveKey']);
    const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
    return { publicKey, privateKey: pair.privateKey };
  };

  it('is the same on both sides and in the reference', async () => {
    const [a, b, root] = [await testPair(), await testPair(), random(32)];
    const names = { sender: a.publicKey, receiver: b.publicKey };
    const key = await opaque(root);
    const mine = await rootStep({ root: key, privateKey: a.privateKey, publicKey: b.publicKey, ...names });
    const theirs = await rootStep({ root: key, privateKey: b.privateKey, publicKey: a.publicKey, ...names });
    const dh = reference.ecdh(await scalar(a), b.publicKey);
    const known = reference.rootStep(root, dh, a.publicKey, b.publicKey);
    for (const side of [mine, theirs]) {
      expect(toHex(await sameChain(side.chain, known.chain))).toBe(text);
      expect(toHex(await sameChain(side.root, known.root))).toBe(text);
      await expect(sameChain(side.root, known.chain)).rejects.toThrow();
    }
    const turned = await rootStep({
      root: key,
      privateKey: a.privateKey,
      publicKey: b.publicKey,
      sender: b.publicKey,
      receiver: a.publicKey,
    });
    await expect(sameChain(turned.chain, known.chain)).rejects.toThrow();
  });

  it('A6 takes no degenerate key', async () => {
    const { privateKey, publicKey } = await generateAgreementKey();
    const root = await opaque(random(32));
    const code = expect.objectContaining({ code: 'bad-key' });
    for (const bad of Object.values(BAD_POINTS)) {
      await expect(agreeInput(privateKey, bad)).rejects.toThrow(code);
      await expect(agreeOpaque(privateKey, bad)).rejects.toThrow(code);
      const names = { sender: publicKey, receiver: bad };
      await expect(rootStep({ root, privateKey, publicKey: bad, ...names })).rejects.toThrow(code);
    }
  });

  it('takes shared secrets that are never bytes', async () => {
    const { publicKey } = await generateAgreementKey();
    const { privateKey } = await generateAgreementKey();
    const secret = await agreeInput(privateKey, publicKey);
    expect(secret).toMatchObject({ extractable: false, usages: ['deriveBits'] });
    expect(await agreeOpaque(privateKey, publicKey)).toMatchObject({
      extractable: false,
      usages: ['deriveKey'],
    });
    expect((await pre(secret, utf8('x'))).length).toBe(32);
    const peer = await importAgreementKey(publicKey);
    await expect(crypto.subtle.deriveBits({ name: 'ECDH', public: peer }, privateKey, 256)).rejects.toThrow();
  });
});
