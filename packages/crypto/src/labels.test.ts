import { describe, expect, it } from 'vitest';
import { encodeAddress } from './address.ts';
import { concat, lp, toBase64url, u32, u64, u8, utf8, type Bytes } from './bytes.ts';
import { verifyChain } from './chain.ts';
import { generateAgreementKey, generateSealingPair, sign, verify } from './keys.ts';
import { I, L, LABELS, type Label } from './labels.ts';
import { verifySealingKey } from './sealing-key.ts';
import { signInStatement, verifySignIn } from './sign-in.ts';
import { verifyBody } from './signed.ts';
import { random, someDevice, toHex } from './test-support.ts';

describe('labels', () => {
  it('bind name, suite and context', () => {
    expect(toHex(L('seal'))).toBe(toHex(utf8('sotto/1/seal')));
    expect(toHex(I('seal', utf8('x')))).toBe(`000c${toHex(utf8('sotto/1/seal'))}000178`);
  });

  it('A8 are all different, and none can be read as another with a context', () => {
    const contexts = LABELS.map((label) => toHex(I(label, new Uint8Array(0))));
    for (const [i, one] of contexts.entries()) {
      for (const [j, other] of contexts.entries()) expect(one.startsWith(other), `${i} ${j}`).toBe(i === j);
    }
  });
});

describe('A8 a signature serves one purpose', () => {
  const setUp = async () => {
    const { account, device, signing } = await someDevice();
    const me = { account, device };
    const [to, identity, sealing] = await Promise.all([
      someDevice(),
      generateAgreementKey(),
      generateSealingPair(),
    ]);
    const content = concat(u8(1), u8(1), u64(0), lp(utf8('')), lp(signing.publicKey), lp(identity.publicKey));
    const signIn = { origin: 'https://chat.example', device, challenge: toBase64url(random(32)) };
    const body = utf8('content');
    const { publicKey } = sealing;
    const contexts: Record<string, { context: Bytes; holds: (s: Bytes) => Promise<boolean> }> = {
      chain: {
        context: content,
        holds: (s) =>
          verifyChain([concat(lp(content), s)]).then(
            () => true,
            () => false,
          ),
      },
      'sealing-key': {
        context: concat(encodeAddress(me), u32(1), u64(0), lp(publicKey)),
        holds: (signature) => {
          const sealingKey = { id: 1, createdAt: 0, publicKey, signature };
          return verifySealingKey({ ...me, signingPublic: signing.publicKey, sealingKey });
        },
      },
      'sign-in': {
        context: signInStatement(signIn).slice(I('sign-in', utf8('')).length),
        holds: (s) => verifySignIn(signing.publicKey, signIn, s),
      },
      signed: {
        context: concat(encodeAddress(to), encodeAddress(me), lp(body)),
        holds: (s) =>
          verifyBody({ from: me, to, signingPublic: signing.publicKey, body: concat(s, body) }).then(
            () => true,
            () => false,
          ),
      },
    };
    return { signing, contexts: Object.entries(contexts) };
  };

  it('and fails in every other, over the very bytes that the other asks for', async () => {
    const { signing, contexts } = await setUp();
    for (const [purpose, { context, holds }] of contexts) {
      for (const label of LABELS) {
        const signature = await sign(signing.privateKey, I(label, context));
        expect(await verify(signing.publicKey, signature, I(label, context))).toBe(true);
        expect(await holds(signature), `${label} as ${purpose}`).toBe(label === purpose);
      }
      const bare = await sign(signing.privateKey, context);
      expect(await holds(bare), `no label as ${purpose}`).toBe(false);
    }
  });

  it('and the real ones do not pass for each other', async () => {
    const { signing, contexts } = await setUp();
    for (const [made, { context }] of contexts) {
      const signature = await sign(signing.privateKey, I(made as Label, context));
      for (const [used, { holds }] of contexts) {
        expect(await holds(signature), `${made} as ${used}`).toBe(made === used);
      }
    }
  });
});
