import { describe, expect, it } from 'vitest';
import { generateSigningKey } from './keys.ts';
import { signInStatement, signSignIn, verifySignIn } from './sign-in.ts';
import { BAD_POINTS, flipped, someDevice, toHex } from './test-support.ts';

const setUp = async () => {
  const { device, signing } = await someDevice();
  const signIn = { origin: 'https://chat.example', device, challenge: 'c2ln.bmVk' };
  return { signing, signIn, signature: await signSignIn(signing.privateKey, signIn) };
};

describe('signing in', () => {
  it('is laid out as the specification says', () => {
    const statement = signInStatement({ origin: 'ab', device: 'AAECAwQFBgcICQoLDA0ODw', challenge: 'c' });
    const label = '000f736f74746f2f312f7369676e2d696e';
    expect(toHex(statement)).toBe(`${label}000100026162001000${'0102030405060708090a0b0c0d0e0f'}000163`);
  });

  it('works with the key of the device', async () => {
    const { signing, signIn, signature } = await setUp();
    expect(signature.length).toBe(64);
    expect(await verifySignIn(signing.publicKey, signIn, signature)).toBe(true);
  });

  it('does not work at another origin, for another device or challenge, or with another key', async () => {
    const { signing, signIn, signature } = await setUp();
    const changes = {
      origin: { ...signIn, origin: 'https://chat.example.net' },
      device: { ...signIn, device: (await someDevice()).device },
      challenge: { ...signIn, challenge: 'c2ln.bmVl' },
      'characters moved across': { ...signIn, origin: 'https://chat.examplec', challenge: '2ln.bmVk' },
      'a malformed device': { ...signIn, device: 'device' },
      'a malformed challenge': { ...signIn, challenge: '\ud800' },
      'a challenge past 65,535 bytes': { ...signIn, challenge: 'c'.repeat(65_536) },
    };
    for (const [what, changed] of Object.entries(changes)) {
      expect(await verifySignIn(signing.publicKey, changed, signature), what).toBe(false);
    }
    const other = await generateSigningKey();
    expect(await verifySignIn(other.publicKey, signIn, signature)).toBe(false);
    expect(await verifySignIn(signing.publicKey, signIn, flipped(signature, 0))).toBe(false);
    expect(await verifySignIn(signing.publicKey, signIn, signature.slice(1))).toBe(false);
  });

  it('A6 is not verified under a degenerate key', async () => {
    const { signIn, signature } = await setUp();
    for (const point of Object.values(BAD_POINTS)) {
      const refused = expect.objectContaining({ code: 'bad-key' });
      await expect(verifySignIn(point, signIn, signature)).rejects.toThrow(refused);
    }
  });
});
