import { signInStatement, signSignIn, verifySignIn } from '@sotto/crypto/sign-in';
import { expect, it } from 'vitest';
import { createDevice, randomId } from '../../test/device.ts';
import { isSignedBy } from './signature.ts';

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

it('A8: takes the signatures that @sotto/crypto takes, and no others', async () => {
  const device = await createDevice(randomId());
  const signIn = { origin: 'https://chat.example', device: device.device, challenge: 'x'.repeat(90) };
  const key = device.signing.publicKey;
  const good = await signSignIn(device.signing.privateKey, signIn);
  const changed = (at: number) => good.map((byte, n) => (n === at ? byte ^ 1 : byte));
  const s = BigInt(`0x${Buffer.from(good.subarray(32)).toString('hex')}`);
  const high = Buffer.concat([
    good.subarray(0, 32),
    Buffer.from((ORDER - s).toString(16).padStart(64, '0'), 'hex'),
  ]);
  const zero = Buffer.concat([good.subarray(0, 32), Buffer.alloc(32)]);
  const signatures = [
    good,
    changed(0),
    changed(63),
    high,
    zero,
    Buffer.alloc(64),
    Buffer.alloc(64, 255),
    good.subarray(1),
  ];
  const statement = signInStatement(signIn);
  const ours = signatures.map((one) => isSignedBy(Buffer.from(key), Buffer.from(one), statement));
  expect(ours).toEqual([true, ...Array.from({ length: 7 }, () => false)]);
  expect(ours).toEqual(
    await Promise.all(signatures.map((one) => verifySignIn(key, signIn, new Uint8Array(one)))),
  );
  const other = signInStatement({ ...signIn, challenge: 'y'.repeat(90) });
  expect(isSignedBy(Buffer.from(key), Buffer.from(good), other)).toBe(false);
  const off = Buffer.from(key);
  off[64]! ^= 1;
  expect(() => isSignedBy(off, Buffer.from(good), statement)).toThrow();
});
