import { describe, expect, it, vi } from 'vitest';
import { concat, utf8 } from './bytes.ts';
import {
  checkPoint,
  deviceId,
  generateAgreementKey,
  generateSealingPair,
  generateSigningKey,
  importAgreementKey,
  sign,
  verify,
} from './keys.ts';
import { BAD_POINTS, flipped, fromHex, importPair, toHex } from './test-support.ts';

const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const scalar = (value: bigint) => fromHex(value.toString(16).padStart(64, '0'));
const sOf = (signature: Uint8Array) => BigInt(`0x${toHex(signature.subarray(32))}`);

// RFC 6979, A.2.5.
const KEY = {
  private: 'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721',
  public:
    '0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6' +
    '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
};
const SAMPLE = fromHex(
  'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716' +
    'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
);

describe('generated private keys', () => {
  it.each([
    ['signing', generateSigningKey, 'ECDSA', ['sign']],
    ['identity', generateAgreementKey, 'ECDH', ['deriveKey']],
    ['sealing', generateSealingPair, 'ECDH', ['deriveBits']],
  ] as const)(
    'of the %s kind cannot be taken out and serve one purpose',
    async (_, generate, name, usages) => {
      const { publicKey, privateKey } = await generate();
      expect(privateKey).toMatchObject({ type: 'private', extractable: false, algorithm: { name }, usages });
      for (const format of ['jwk', 'pkcs8'] as const) {
        await expect(crypto.subtle.exportKey(format, privateKey)).rejects.toThrow();
      }
      expect(() => checkPoint(publicKey)).not.toThrow();
      expect((await generate()).publicKey).not.toEqual(publicKey);
    },
  );
});

describe('points', () => {
  it.each(Object.entries(BAD_POINTS))('A6 %s is refused', async (_, point) => {
    const bad = expect.objectContaining({ code: 'bad-key' });
    expect(() => checkPoint(point)).toThrow(bad);
    await expect(importAgreementKey(point)).rejects.toThrow(bad);
    await expect(deviceId(point)).rejects.toThrow(bad);
    await expect(verify(point, SAMPLE, utf8('sample'))).rejects.toThrow(bad);
  });

  it('A6 those past the field would be on the curve if they were reduced', () => {
    const x = toHex(BAD_POINTS['x past the field']!).slice(66);
    const y = toHex(BAD_POINTS['y past the field']!).slice(0, 66);
    expect(() => checkPoint(fromHex(`04${'00'.repeat(31)}05${x}`))).not.toThrow();
    expect(() => checkPoint(fromHex(`${y}${'00'.repeat(31)}01`))).not.toThrow();
  });
});

describe('signatures', () => {
  it('verify for the key and the message they were made with', async () => {
    const [own, other] = await Promise.all([generateSigningKey(), generateSigningKey()]);
    const message = utf8('sample');
    const signature = await sign(own.privateKey, message);
    expect(signature.length).toBe(64);
    expect(await verify(own.publicKey, signature, message)).toBe(true);
    expect(await verify(other.publicKey, signature, message)).toBe(false);
    expect(await verify(own.publicKey, signature, utf8('samplf'))).toBe(false);
    for (let at = 0; at < 64; at += 1) {
      expect(await verify(own.publicKey, flipped(signature, at), message), `byte ${at}`).toBe(false);
    }
  });

  it('agree with RFC 6979, A.2.5, whose s is the high one', async () => {
    const low = concat(SAMPLE.subarray(0, 32), scalar(N - sOf(SAMPLE)));
    expect(await verify(fromHex(KEY.public), low, utf8('sample'))).toBe(true);
    expect(await verify(fromHex(KEY.public), SAMPLE, utf8('sample'))).toBe(false);
  });

  it('A6 are low-s always, and their high-s twins are refused', async () => {
    const { publicKey, privateKey } = await importPair('ECDSA', KEY.private, KEY.public);
    // About half of what the engine makes is high: forty rounds see both but for one run in 2^39.
    for (let round = 0; round < 40; round += 1) {
      const message = utf8(`round ${round}`);
      const signature = await sign(privateKey, message);
      expect(sOf(signature) <= N / 2n).toBe(true);
      expect(await verify(publicKey, signature, message)).toBe(true);
      const twin = concat(signature.subarray(0, 32), scalar(N - sOf(signature)));
      expect(await verify(publicKey, twin, message)).toBe(false);
    }
  });

  it('A6 of another length, or with r or s out of range, are refused', async () => {
    const { publicKey, privateKey } = await generateSigningKey();
    const message = utf8('sample');
    const signature = await sign(privateKey, message);
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
    const zero = new Uint8Array(32);
    const wrong = [
      concat(),
      signature.subarray(0, 63),
      concat(signature, fromHex('00')),
      concat(fromHex('00'), signature),
      concat(fromHex('00'), r, fromHex('00'), s),
      concat(zero, s),
      concat(r, zero),
      concat(zero, zero),
      concat(scalar(N), s),
      concat(r, scalar(N)),
    ];
    // Some engines take one or the other of these, so none is asked.
    const engine = vi.spyOn(crypto.subtle, 'verify').mockResolvedValue(true);
    for (const bytes of wrong) expect(await verify(publicKey, new Uint8Array(bytes), message)).toBe(false);
    expect(await verify(publicKey, signature, message)).toBe(true);
    engine.mockRestore();
  });
});

describe('deviceId', () => {
  it('is the start of SHA-256 of the public key', async () => {
    const digest = await crypto.subtle.digest('SHA-256', fromHex(KEY.public));
    const start = toHex(new Uint8Array(digest)).slice(0, 32);
    const id = await deviceId(fromHex(KEY.public));
    expect(id).toMatch(/^[A-Za-z0-9_-]{21}[AQgw]$/);
    expect(
      toHex(
        Uint8Array.from(atob(`${id.replaceAll('-', '+').replaceAll('_', '/')}==`), (c) => c.charCodeAt(0)),
      ),
    ).toBe(start);
  });
});
