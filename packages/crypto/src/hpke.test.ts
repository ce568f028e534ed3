import { Aes128Gcm, Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from './bytes.ts';
import * as hpke from './hpke.ts';
import { generateSealingPair } from './keys.ts';
import { BAD_POINTS, flipped, fromHex, importPair, random, toHex } from './test-support.ts';

const INFO = fromHex('4f6465206f6e2061204772656369616e2055726e');
const AAD = fromHex('436f756e742d30');
const PLAINTEXT = fromHex('4265617574792069732074727574682c20747275746820626561757479');

const VECTORS = [
  {
    source: 'RFC 9180 A.3.1 (AES-128-GCM)',
    suite: hpke.AES_128_GCM,
    skEm: '4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb',
    pkEm:
      '04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac9' +
      '8536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4',
    skRm: 'f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2',
    pkRm:
      '04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a82' +
      '6a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0',
    ciphertext: '5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434',
  },
  {
    // Not printed in the RFC; skEm is DeriveKeyPair of the file's ikmE.
    source: "test-vectors.json of the RFC's authors (AES-256-GCM)",
    suite: hpke.AES_256_GCM,
    skEm: '90345e3a1d116c1dd39ae76d95ab858c142223a63e44f8f85318cfa91a84858e',
    pkEm:
      '04c06b4f6bebc7bb495cb797ab753f911aff80aefb86fd8b6fcc35525f3ab5f03e' +
      '0b21bd31a86c6048af3cb2d98e0d3bf01da5cc4c39ff5370d331a4f1f7d5a4e0',
    skRm: '317f915db7bc629c48fe765587897e01e282d3e8445f79f27f65d031a88082b2',
    pkRm:
      '04abc7e49a4c6b3566d77d0304addc6ed0e98512ffccf505e6a8e3eb25c685136f' +
      '853148544876de76c0f2ef99cdc3a05ccf5ded7860c7c021238f9e2073d2356c',
    ciphertext: '58c61a45059d0c5704560e9d88b564a8b63f1364b8d1fcb3c4c6ddc1d291742465e902cd216f8908da49f8f96f',
  },
];

describe.each(VECTORS)('the vector of $source', ({ suite, skEm, pkEm, skRm, pkRm, ciphertext }) => {
  it('is sealed', async () => {
    const sealed = await hpke.seal({
      suite,
      recipient: fromHex(pkRm),
      info: INFO,
      aad: AAD,
      plaintext: PLAINTEXT,
      ephemeral: await importPair('ECDH', skEm, pkEm),
    });
    expect(toHex(sealed.enc)).toBe(pkEm);
    expect(toHex(sealed.ciphertext)).toBe(ciphertext);
  });

  it('is opened', async () => {
    const opened = await hpke.open({
      suite,
      recipient: await importPair('ECDH', skRm, pkRm),
      enc: fromHex(pkEm),
      info: INFO,
      aad: AAD,
      ciphertext: fromHex(ciphertext),
    });
    expect(opened).toEqual(PLAINTEXT);
  });
});

const buffer = (bytes: Uint8Array<ArrayBuffer>): ArrayBuffer => new Uint8Array(bytes).buffer;
const anyBytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => new Uint8Array(array));
const anyMessage = fc.record({ info: anyBytes(80), aad: anyBytes(40), plaintext: anyBytes(3000) });

describe.each([
  ['AES-128-GCM', hpke.AES_128_GCM, new Aes128Gcm()],
  ['AES-256-GCM', hpke.AES_256_GCM, new Aes256Gcm()],
])('beside @hpke/core with %s', (_, suite, aead) => {
  const reference = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead });

  it('what is sealed here is opened there', async () => {
    const recipient = await reference.kem.generateKeyPair();
    const publicKey = new Uint8Array(await reference.kem.serializePublicKey(recipient.publicKey));
    await fc.assert(
      fc.asyncProperty(anyMessage, async ({ info, aad, plaintext }) => {
        const { enc, ciphertext } = await hpke.seal({ suite, recipient: publicKey, info, aad, plaintext });
        const opened = await reference.open(
          { recipientKey: recipient, enc: buffer(enc), info: buffer(info) },
          buffer(ciphertext),
          buffer(aad),
        );
        expect(new Uint8Array(opened)).toEqual(plaintext);
      }),
      { numRuns: 25 },
    );
  });

  it('what is sealed there is opened here', async () => {
    const recipient = await generateSealingPair();
    const recipientPublicKey = await reference.kem.deserializePublicKey(buffer(recipient.publicKey));
    await fc.assert(
      fc.asyncProperty(anyMessage, async ({ info, aad, plaintext }) => {
        const sealed = await reference.seal(
          { recipientPublicKey, info: buffer(info) },
          buffer(plaintext),
          buffer(aad),
        );
        const [enc, ciphertext] = [new Uint8Array(sealed.enc), new Uint8Array(sealed.ct)];
        expect(await hpke.open({ suite, recipient, enc, info, aad, ciphertext })).toEqual(plaintext);
      }),
      { numRuns: 25 },
    );
  });
});

describe('what does not open', () => {
  const suite = hpke.AES_256_GCM;
  const closed = expect.objectContaining({ code: 'cannot-open', message: 'cannot-open' });

  const sealedTo = async () => {
    const recipient = await generateSealingPair();
    const [info, aad, plaintext] = [utf8('info'), utf8('aad'), utf8('plaintext')];
    const sealed = await hpke.seal({ suite, recipient: recipient.publicKey, info, aad, plaintext });
    return { suite, recipient, info, aad, ...sealed };
  };

  it('is everything of which something differs', async () => {
    const sealed = await sealedTo();
    expect(await hpke.open(sealed)).toEqual(utf8('plaintext'));
    for (const part of ['info', 'aad', 'enc', 'ciphertext'] as const) {
      for (let at = 0; at < sealed[part].length; at += 1) {
        const changed = { ...sealed, [part]: flipped(sealed[part], at) };
        await expect(hpke.open(changed), `${part} ${at}`).rejects.toThrow(closed);
      }
    }
    await expect(hpke.open({ ...sealed, suite: hpke.AES_128_GCM })).rejects.toThrow(closed);
    await expect(hpke.open({ ...sealed, recipient: await generateSealingPair() })).rejects.toThrow(closed);
    for (const length of [0, 15, 16, sealed.ciphertext.length - 1]) {
      const cut = { ...sealed, ciphertext: sealed.ciphertext.slice(0, length) };
      await expect(hpke.open(cut)).rejects.toThrow(closed);
    }
  });

  it('A6 is anything under a degenerate ephemeral key', async () => {
    const sealed = await sealedTo();
    for (const enc of Object.values(BAD_POINTS)) {
      await expect(hpke.open({ ...sealed, enc })).rejects.toThrow(closed);
    }
  });

  it('A6 is not sealed to a degenerate key', async () => {
    const rest = { suite, info: utf8(''), aad: utf8(''), plaintext: utf8('') };
    for (const recipient of Object.values(BAD_POINTS)) {
      await expect(hpke.seal({ ...rest, recipient })).rejects.toThrow(
        expect.objectContaining({ code: 'bad-key' }),
      );
    }
  });

  it("does not hide a caller's mistake", async () => {
    const sealed = await sealedTo();
    const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
    ]);
    const wrong = { ...sealed, recipient: { ...sealed.recipient, privateKey } };
    await expect(hpke.open(wrong)).rejects.not.toThrow(closed);
  });
});

describe('seal', () => {
  it('uses a new ephemeral key each time', async () => {
    const recipient = (await generateSealingPair()).publicKey;
    const request = {
      suite: hpke.AES_256_GCM,
      recipient,
      info: random(8),
      aad: random(8),
      plaintext: random(8),
    };
    const [first, second] = await Promise.all([hpke.seal(request), hpke.seal(request)]);
    expect(first.enc).not.toEqual(second.enc);
    expect(first.ciphertext).not.toEqual(second.ciphertext);
  });
});
