import { describe, expect, it } from 'vitest';
import vectors from '../vectors/device.json';
import { canonical, padding } from '../vectors/encoding.json';
import { encodeAddress } from './address.ts';
import { concat, lp, u32, u64 } from './bytes.ts';
import { decode, encode } from './canonical.ts';
import { verifyChain } from './chain.ts';
import { deviceId } from './keys.ts';
import { I } from './labels.ts';
import { paddedLength } from './padding.ts';
import { open, seal } from './seal.ts';
import { verifySealingKey } from './sealing-key.ts';
import { signInStatement, verifySignIn } from './sign-in.ts';
import { fromHex, importPair, toHex } from './test-support.ts';

const { alice, bob, seal: sealed, signIn } = vectors;

describe.each([
  ['alice', alice],
  ['bob', bob],
])('the published vectors of %s', (_, { account, device, keys, chain, sealingKey }) => {
  const [signing, identity, publicKey] = [keys.signing, keys.identity, keys.sealing].map((key) =>
    fromHex(key.public),
  );

  it('give the device its id', async () => expect(await deviceId(signing!)).toBe(device));

  it('give the chain its state', async () => {
    const state = await verifyChain([fromHex(chain.event)]);
    expect(state).toMatchObject({ account, devices: [{ device, signing, identity }] });
  });

  it('hold for the sealing key', async () => {
    const { id, createdAt, statement, signature } = sealingKey;
    const context = concat(encodeAddress({ account, device }), u32(id), u64(createdAt), lp(publicKey!));
    expect(toHex(I('sealing-key', context))).toBe(statement);
    const key = { id, createdAt, publicKey: publicKey!, signature: fromHex(signature) };
    expect(await verifySealingKey({ account, device, signingPublic: signing!, sealingKey: key })).toBe(true);
  });
});

describe('the published vectors', () => {
  const signingPublic = fromHex(alice.keys.signing.public);

  it('hold for signing in', async () => {
    expect(toHex(signInStatement(signIn))).toBe(signIn.statement);
    expect(await verifySignIn(signingPublic, signIn, fromHex(signIn.signature))).toBe(true);
  });

  it('hold for a seal', async () => {
    const sealing = await importPair('ECDH', bob.keys.sealing.private, bob.keys.sealing.public);
    const { kind, ephemeral } = sealed;
    const body = fromHex(sealed.body);
    const envelope = await seal({
      from: alice,
      to: { ...bob, sealingKey: { id: bob.sealingKey.id, publicKey: sealing.publicKey } },
      kind,
      body,
      ephemeral: await importPair('ECDH', ephemeral.private, ephemeral.public),
    });
    expect(toHex(envelope)).toBe(sealed.envelope);
    expect(toHex(I('seal', concat(encodeAddress(bob), u32(bob.sealingKey.id))))).toBe(sealed.info);
    expect(sealed.envelope.startsWith(sealed.aad)).toBe(true);
    const sealingKeys = [{ id: bob.sealingKey.id, ...sealing }];
    expect(await open({ me: bob, sealingKeys, envelope: fromHex(sealed.envelope) })).toEqual({
      from: { account: alice.account, device: alice.device },
      kind,
      body,
    });
  });

  it.each(canonical.encodings)('hold for canonical JSON: $encoding', ({ value, encoding }) => {
    expect(toHex(encode(value))).toBe(encoding);
    expect(decode(fromHex(encoding))).toEqual(value);
  });

  it.each(canonical.refused)('refuse as canonical JSON: %s', (encoding) => {
    expect(() => decode(fromHex(encoding))).toThrow(expect.objectContaining({ code: 'bad-encoding' }));
  });

  it('hold for padding', () => {
    for (const [length, padded] of padding) expect(paddedLength(length!)).toBe(padded);
  });
});
