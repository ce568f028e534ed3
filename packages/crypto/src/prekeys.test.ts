import { beforeAll, describe, expect, it } from 'vitest';
import { encodeAddress } from './address.ts';
import { concat, lp, u32, u64, u8, type Bytes } from './bytes.ts';
import { generateAgreementKey, sign, type KeyPair } from './keys.ts';
import { I, LABELS } from './labels.ts';
import { BUNDLE_LIFETIME, CLOCK_TOLERANCE, DAY, ONE_TIME_LIFETIME } from './limits.ts';
import {
  isPq,
  makePrekeys,
  PREKEY_KINDS,
  publicPrekey,
  signPrekey,
  verifyBundle,
  verifyPrekey,
  type Bundle,
  type PqKind,
  type Prekey,
  type PrekeyKind,
} from './prekeys.ts';
import { NOW, publicDevice, takeBundle, testDevice, type TestDevice } from './session-suite.ts';
import { BAD_POINTS, flipped, random } from './test-support.ts';

const KINDS = Object.keys(PREKEY_KINDS) as PrekeyKind[];
const badBundle = expect.objectContaining({ code: 'bad-bundle' });

let owner: TestDevice;
beforeAll(async () => {
  owner = await testDevice(2);
});

const own = (kind: PrekeyKind): Prekey => publicPrekey(owner.prekeys.find((key) => key.kind === kind)!);
const check = (prekey: Prekey, kind = prekey.kind, now = NOW, of = owner) => {
  const { account, device, signing } = of;
  return verifyPrekey({ account, device, signingPublic: signing.publicKey, prekey, kind, now });
};

/** A prekey signed as given, whatever it says. */
const signed = async (key: Omit<Prekey, 'signature'>, signing: KeyPair = owner.signing, label = 'prekey') => {
  const times = concat(u64(key.createdAt), u64(key.expiresAt));
  const context = concat(
    encodeAddress(owner),
    u8(PREKEY_KINDS[key.kind]),
    u32(key.id),
    times,
    lp(key.publicKey),
  );
  const signature = await sign(signing.privateKey, I(label as 'prekey', context));
  return { ...key, signature };
};

describe('a prekey', () => {
  it.each(KINDS)('%s is verified as what the device signed', async (kind) => {
    expect(await check(own(kind))).toBe(true);
    const key = own(kind);
    const lifetime = kind === 'signed' || kind === 'pq-last-resort' ? BUNDLE_LIFETIME : ONE_TIME_LIFETIME;
    expect(key.expiresAt - key.createdAt).toBe(lifetime);
    expect(key.publicKey.length).toBe(isPq(kind) ? 1184 : 65);
    expect('privateKey' in key).toBe(false);
  });

  it('has a private half that cannot be exported, and that can only agree', () => {
    for (const { kind, privateKey } of owner.prekeys) {
      if (isPq(kind)) expect(privateKey).toHaveProperty('wrapping.extractable', false);
      else expect(privateKey).toMatchObject({ extractable: false, usages: ['deriveKey'] });
    }
  });

  it.each(KINDS)(
    'A5 %s is nothing else: not of another kind, id, time, key, device, account or signer',
    async (kind) => {
      const key = own(kind);
      const other = await testDevice(0);
      const publicKey = isPq(kind) ? flipped(key.publicKey, 100) : other.identity.publicKey;
      const changes: Record<string, Prekey> = {
        id: { ...key, id: key.id + 1 },
        'id 0': { ...key, id: 0 },
        'id past 32 bits': { ...key, id: key.id + 2 ** 32 },
        createdAt: { ...key, createdAt: key.createdAt + 1 },
        expiresAt: { ...key, expiresAt: key.expiresAt - 1 },
        'a fraction': { ...key, expiresAt: key.expiresAt - 0.5 },
        publicKey: { ...key, publicKey },
        signature: { ...key, signature: flipped(key.signature, 63) },
        'no signature': { ...key, signature: new Uint8Array(0) },
      };
      for (const [what, changed] of Object.entries(changes)) expect(await check(changed), what).toBe(false);
      for (const swapped of KINDS.filter((one) => one !== kind)) {
        expect(await check({ ...key, kind: swapped }), swapped).toBe(false);
        expect(await check(key, swapped), `as ${swapped}`).toBe(false);
        expect(await check({ ...key, kind: swapped }, kind), `called ${swapped}`).toBe(false);
      }
      const { account, device, signing } = owner;
      const stranger = { ...owner, account: other.account };
      expect(await check(key, kind, NOW, stranger)).toBe(false);
      expect(await check(key, kind, NOW, { ...owner, device: other.device })).toBe(false);
      expect(await check(key, kind, NOW, { ...owner, signing: other.signing })).toBe(false);
      expect(await check(key, kind, NOW, { ...owner, account, device, signing })).toBe(true);
    },
  );

  it.each(KINDS)(
    '%s is refused past its time, from the future, or signed for longer than its kind lives',
    async (kind) => {
      const key = own(kind);
      expect(await check(key, kind, key.expiresAt - 1)).toBe(true);
      expect(await check(key, kind, key.expiresAt)).toBe(false);
      expect(await check(key, kind, key.createdAt - CLOCK_TOLERANCE)).toBe(true);
      expect(await check(key, kind, key.createdAt - CLOCK_TOLERANCE - 1)).toBe(false);
      expect(await check(await signed({ ...key, expiresAt: key.expiresAt + 1 }))).toBe(false);
      expect(await check(await signed({ ...key, expiresAt: key.expiresAt - 1 }))).toBe(true);
      const backwards = await signed({ ...key, createdAt: NOW + 2, expiresAt: NOW + 1 });
      expect(await check(backwards)).toBe(false);
    },
  );

  it('A6 is not degenerate, though signed', async () => {
    for (const [what, publicKey] of Object.entries(BAD_POINTS)) {
      expect(await check(await signed({ ...own('signed'), publicKey })), what).toBe(false);
      expect(await check(await signed({ ...own('one-time'), publicKey })), what).toBe(false);
    }
    for (const length of [0, 65, 1088, 1183, 1185]) {
      const key = { ...own('pq-one-time'), publicKey: random(length) };
      expect(await check(await signed(key)), `${length}`).toBe(false);
    }
    await expect(
      check(own('signed'), 'signed', NOW, {
        ...owner,
        signing: { ...owner.signing, publicKey: BAD_POINTS['zeros']! },
      }),
    ).rejects.toThrow(expect.objectContaining({ code: 'bad-key' }));
  });

  it('A8 is signed under a label of its own', async () => {
    for (const label of LABELS) {
      expect(await check(await signed(own('signed'), owner.signing, label)), label).toBe(label === 'prekey');
    }
  });

  it.each([0, -1, 2 ** 32, 0.5])('is not made with the id %d', async (id) => {
    const pair = await generateAgreementKey();
    const request = { ...owner, signing: owner.signing.privateKey, kind: 'signed' as const, createdAt: NOW };
    const code = expect.objectContaining({ code: 'bad-encoding' });
    await expect(signPrekey({ ...request, id, pair })).rejects.toThrow(code);
    await expect(makePrekeys({ ...request, firstId: id, count: 1 })).rejects.toThrow(code);
  });

  it('is made with an id of its own, and a key of its own', async () => {
    const request = { ...owner, signing: owner.signing.privateKey, createdAt: NOW };
    const keys = await makePrekeys({ ...request, kind: 'one-time', firstId: 5, count: 3 });
    expect(keys.map(({ id }) => id)).toEqual([5, 6, 7]);
    expect(new Set(keys.map(({ publicKey }) => publicKey.join())).size).toBe(3);
  });
});

describe('a bundle', () => {
  const verify = (bundle: Partial<Bundle>, now = NOW) =>
    verifyBundle({ peer: publicDevice(owner), bundle: bundle as Bundle, now });
  const bundle = (): Bundle => takeBundle({ ...owner, handedOut: 0 });

  it('is good with one-time keys, without, and with the last resort', async () => {
    const { oneTime: _, ...without } = bundle();
    await verify(bundle());
    await verify(without);
    await verify({ ...without, pq: own('pq-last-resort') as Prekey<PqKind> });
  });

  it('must 1 is refused as a whole when any of its signatures is bad, classical or post-quantum', async () => {
    for (const slot of ['signed', 'oneTime', 'pq'] as const) {
      const good = bundle();
      const key = good[slot]!;
      for (const at of [0, 31, 32, 63]) {
        const changed = { ...good, [slot]: { ...key, signature: flipped(key.signature, at) } };
        await expect(verify(changed), slot).rejects.toThrow(badBundle);
      }
      const changed = { ...good, [slot]: { ...key, publicKey: flipped(key.publicKey, 20) } };
      await expect(verify(changed), slot).rejects.toThrow(badBundle);
    }
  });

  it("A5 is refused with keys in each other's places", async () => {
    const good = bundle();
    const [one, two] = [own('one-time'), own('signed')];
    const swaps: Record<string, object> = {
      'signed and one-time': { signed: one, oneTime: two },
      'one-time as signed': { signed: one },
      'signed as one-time': { oneTime: two },
      'one-time as signed, called so': { signed: { ...one, kind: 'signed' } },
      'signed as one-time, called so': { oneTime: { ...two, kind: 'one-time' } },
      'an elliptic key as post-quantum': { pq: one },
      'an elliptic key as post-quantum, called so': { pq: { ...one, kind: 'pq-one-time' } },
      'a post-quantum key as signed': { signed: { ...own('pq-one-time'), kind: 'signed' } },
      'the last resort called one-time': { pq: { ...own('pq-last-resort'), kind: 'pq-one-time' } },
      'one-time called the last resort': { pq: { ...own('pq-one-time'), kind: 'pq-last-resort' } },
      'ids swapped': { signed: { ...two, id: one.id + 1 }, oneTime: { ...one, id: two.id + 1 } },
    };
    for (const [what, swap] of Object.entries(swaps)) {
      await expect(verify({ ...good, ...swap }), what).rejects.toThrow(badBundle);
    }
  });

  it('A5 must 10 is refused without its post-quantum key, or without its signed one', async () => {
    const { pq: _, ...stripped } = bundle();
    const { signed: __, ...unsigned } = bundle();
    await expect(verify(stripped)).rejects.toThrow(badBundle);
    await expect(verify(unsigned)).rejects.toThrow(badBundle);
  });

  it('is refused when it has expired', async () => {
    await verify(bundle(), NOW + BUNDLE_LIFETIME - 1);
    await expect(verify(bundle(), NOW + BUNDLE_LIFETIME)).rejects.toThrow(badBundle);
    await expect(verify(bundle(), NOW - CLOCK_TOLERANCE - DAY)).rejects.toThrow(badBundle);
  });

  it('is refused with one key for two purposes', async () => {
    const points: Record<string, Bytes> = {
      'the identity key': owner.identity.publicKey,
      'the signing key': owner.signing.publicKey,
      'the signed prekey': own('signed').publicKey,
    };
    for (const [what, publicKey] of Object.entries(points)) {
      const oneTime = (await signed({ ...own('one-time'), publicKey })) as Prekey<'one-time'>;
      await expect(verify({ ...bundle(), oneTime }), what).rejects.toThrow(badBundle);
    }
  });

  it('is refused of another device', async () => {
    const other = await testDevice(0);
    await expect(verifyBundle({ peer: publicDevice(other), bundle: bundle(), now: NOW })).rejects.toThrow(
      badBundle,
    );
  });
});
