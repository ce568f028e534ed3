import { describe, expect, it } from 'vitest';
import { encodeAddress } from './address.ts';
import { concat, lp, toBase64url, u32, u64 } from './bytes.ts';
import { generateSealingPair, generateSigningKey, sign } from './keys.ts';
import { I } from './labels.ts';
import { createSealingKey, verifySealingKey } from './sealing-key.ts';
import { BAD_POINTS, flipped, random, someDevice } from './test-support.ts';

const setUp = async () => {
  const { account, device, signing } = await someDevice();
  const owner = { account, device };
  const made = await createSealingKey({
    ...owner,
    signing: signing.privateKey,
    id: 7,
    createdAt: 1_700_000_000_000,
  });
  const { privateKey, ...sealingKey } = made;
  return { signing, privateKey, request: { ...owner, signingPublic: signing.publicKey, sealingKey } };
};

describe('a sealing key', () => {
  it('is verified as what the device signed', async () => {
    const { request, privateKey } = await setUp();
    expect(request.sealingKey).toMatchObject({ id: 7, createdAt: 1_700_000_000_000 });
    expect(await verifySealingKey(request)).toBe(true);
    expect(privateKey).toMatchObject({ extractable: false, usages: ['deriveBits'] });
  });

  it('is nothing else', async () => {
    const { request } = await setUp();
    const { sealingKey } = request;
    const other = await generateSealingPair();
    const changes = {
      account: { ...request, account: toBase64url(random(32)) },
      device: { ...request, device: toBase64url(random(16)) },
      'account of a wrong length': { ...request, account: request.device },
      'account that is no base64url': { ...request, account: `${request.account}=` },
      id: { ...request, sealingKey: { ...sealingKey, id: 8 } },
      'id 0': { ...request, sealingKey: { ...sealingKey, id: 0 } },
      'id past 32 bits': { ...request, sealingKey: { ...sealingKey, id: 2 ** 32 + 7 } },
      createdAt: { ...request, sealingKey: { ...sealingKey, createdAt: sealingKey.createdAt + 1 } },
      'createdAt below 0': { ...request, sealingKey: { ...sealingKey, createdAt: -1 } },
      publicKey: { ...request, sealingKey: { ...sealingKey, publicKey: other.publicKey } },
      signature: { ...request, sealingKey: { ...sealingKey, signature: flipped(sealingKey.signature, 63) } },
      'another signer': { ...request, signingPublic: (await generateSigningKey()).publicKey },
    };
    for (const [what, changed] of Object.entries(changes)) {
      expect(await verifySealingKey(changed), what).toBe(false);
    }
  });

  it('A6 is not degenerate, though signed, nor is its signer', async () => {
    const { request, signing } = await setUp();
    const { id, createdAt } = request.sealingKey;
    for (const [what, publicKey] of Object.entries(BAD_POINTS)) {
      const context = concat(encodeAddress(request), u32(id), u64(createdAt), lp(publicKey));
      const signature = await sign(signing.privateKey, I('sealing-key', context));
      const changed = { ...request, sealingKey: { id, createdAt, publicKey, signature } };
      expect(await verifySealingKey(changed), what).toBe(false);
      await expect(verifySealingKey({ ...request, signingPublic: publicKey }), what).rejects.toThrow(
        expect.objectContaining({ code: 'bad-key' }),
      );
    }
  });

  it.each([0, -1, 2 ** 32, 0.5])('is not made with the id %d', async (id) => {
    const { account, device, signing } = await someDevice();
    const request = { account, device, signing: signing.privateKey, id, createdAt: 0 };
    await expect(createSealingKey(request)).rejects.toThrow(
      expect.objectContaining({ code: 'bad-encoding' }),
    );
  });
});
