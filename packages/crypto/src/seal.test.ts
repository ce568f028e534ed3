import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeAddress, type Address } from './address.ts';
import { concat, Reader, toBase64url, u32, u8, utf8, type Bytes } from './bytes.ts';
import * as hpke from './hpke.ts';
import { generateSealingPair, type KeyPair } from './keys.ts';
import { I } from './labels.ts';
import { pad, paddedLength } from './padding.ts';
import { open, seal } from './seal.ts';
import { BAD_POINTS, flipped, fromHex, random } from './test-support.ts';

const HEADER = 5;
const OVERHEAD = HEADER + hpke.ENC_BYTES + hpke.TAG_BYTES;
const closed = expect.objectContaining({ code: 'cannot-open', message: 'cannot-open' });
const unknown = expect.objectContaining({ code: 'unknown-sealing-key' });
const unsupported = expect.objectContaining({ code: 'unsupported' });

const someAddress = (): Address => ({ account: toBase64url(random(32)), device: toBase64url(random(16)) });

const me = someAddress();
const from = someAddress();
let sealingKeys: (KeyPair & { id: number })[];
let to: Address & { sealingKey: { id: number; publicKey: Bytes } };
let envelope: Bytes;

beforeAll(async () => {
  sealingKeys = [
    { id: 1, ...(await generateSealingPair()) },
    { id: 2, ...(await generateSealingPair()) },
  ];
  to = { ...me, sealingKey: sealingKeys[1]! };
  envelope = await seal({ from, to, kind: 1, body: utf8('hello') });
});

/** An envelope of whatever plaintext, properly sealed to `to`. */
const sealedPlaintext = async (plaintext: Bytes, context = encodeAddress(me)): Promise<Bytes> => {
  const aad = concat(u8(1), u32(2));
  const info = I('seal', concat(context, u32(2)));
  const recipient = to.sealingKey.publicKey;
  const { enc, ciphertext } = await hpke.seal({ suite: hpke.AES_256_GCM, recipient, info, aad, plaintext });
  return concat(aad, enc, ciphertext);
};

const plaintextOf = (body: Bytes) => concat(u8(1), encodeAddress(from), u32(body.length), body);

describe('a sealed message', () => {
  it('is opened by its recipient', async () => {
    expect(await open({ me, sealingKeys, envelope })).toEqual({ from, kind: 1, body: utf8('hello') });
  });

  it('comes back as it was, whatever it is, and leaves what it was given alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.nat(255), async (body, kind) => {
        const before = new Uint8Array(body);
        const sealed = await seal({ from, to, kind, body });
        const copy = new Uint8Array(sealed);
        expect(await open({ me, sealingKeys, envelope: sealed })).toEqual({ from, kind, body: before });
        expect(body).toEqual(before);
        expect(sealed).toEqual(copy);
      }),
      { numRuns: 50 },
    );
  });

  it('is laid out as the specification says', async () => {
    const ephemeral = await generateSealingPair();
    const sealed = await seal({ from, to, kind: 1, body: utf8('hello'), ephemeral });
    const reader = new Reader(sealed);
    expect([reader.u8(), reader.u32()]).toEqual([1, 2]);
    const enc = reader.take(65);
    expect(enc).toEqual(ephemeral.publicKey);
    const plaintext = await hpke.open({
      suite: hpke.AES_256_GCM,
      recipient: sealingKeys[1]!,
      enc,
      info: I('seal', concat(encodeAddress(me), u32(2))),
      aad: sealed.slice(0, 5),
      ciphertext: reader.rest(),
    });
    expect(plaintext).toEqual(pad(plaintextOf(utf8('hello'))));
    expect(await seal({ from, to, kind: 1, body: utf8('hello'), ephemeral })).toEqual(sealed);
  });

  it('tells of its length only the step', async () => {
    const inner = 1 + 34 + 18 + 4;
    for (const length of [0, 1, 1024 - inner, 1025 - inner, 2048 - inner, 2049 - inner, 40_000]) {
      const { length: sealed } = await seal({ from, to, kind: 1, body: new Uint8Array(length) });
      expect(sealed).toBe(paddedLength(length + inner) + OVERHEAD);
    }
  });

  it('names its sender nowhere in the clear', () => {
    const text = Array.from(envelope).join();
    for (const id of [encodeAddress(from).slice(2, 34), encodeAddress(from).slice(36)]) {
      expect(text).not.toContain(Array.from(id).join());
    }
  });

  it('differs each time', async () => {
    expect(await seal({ from, to, kind: 1, body: utf8('hello') })).not.toEqual(envelope);
  });
});

describe('not opened', () => {
  it('A9 an envelope with any byte changed, each by the same error', async () => {
    for (let at = 0; at < envelope.length; at += 1) {
      const expected = at === 0 ? unsupported : at < HEADER ? unknown : closed;
      const changed = flipped(envelope, at, 1 << (at % 8));
      await expect(open({ me, sealingKeys, envelope: changed }), `byte ${at}`).rejects.toThrow(expected);
    }
  });

  it('A9 an envelope cut anywhere, or with more behind it', async () => {
    for (let length = 0; length < envelope.length; length += 1) {
      const cut = envelope.subarray(0, length);
      await expect(open({ me, sealingKeys, envelope: cut }), `${length} bytes`).rejects.toThrow(closed);
    }
    await expect(open({ me, sealingKeys, envelope: concat(envelope, u8(0)) })).rejects.toThrow(closed);
  });

  it('an envelope for another account, another device, or another of my keys', async () => {
    const other = someAddress();
    const elsewhere = [
      { ...me, account: other.account },
      { ...me, device: other.device },
    ];
    for (const address of elsewhere) {
      await expect(open({ me: address, sealingKeys, envelope })).rejects.toThrow(closed);
    }
    const renumbered = concat(u8(1), u32(1), envelope.subarray(HEADER));
    await expect(open({ me, sealingKeys, envelope: renumbered })).rejects.toThrow(closed);
    // The key is right, its number is not: the number is bound as well.
    const sameKey = [{ ...sealingKeys[1]!, id: 1 }];
    await expect(open({ me, sealingKeys: sameKey, envelope: renumbered })).rejects.toThrow(closed);
  });

  it('an envelope to the sender, as if the two had been swapped', async () => {
    const swapped = await sealedPlaintext(pad(plaintextOf(utf8('hello'))), encodeAddress(from));
    await expect(open({ me, sealingKeys, envelope: swapped })).rejects.toThrow(closed);
  });

  it('an envelope under a key that I do not hold', async () => {
    await expect(open({ me, sealingKeys: sealingKeys.slice(0, 1), envelope })).rejects.toThrow(unknown);
    await expect(open({ me, sealingKeys: [], envelope })).rejects.toThrow(unknown);
  });

  it('A6 an envelope under a degenerate ephemeral key', async () => {
    for (const [what, point] of Object.entries(BAD_POINTS)) {
      const changed = concat(envelope.subarray(0, HEADER), point, envelope.subarray(HEADER + 65));
      await expect(open({ me, sealingKeys, envelope: changed }), what).rejects.toThrow(closed);
    }
  });

  it('A9 a plaintext that is not laid out and padded in the one way', async () => {
    const good = pad(plaintextOf(utf8('hello')));
    const inner = plaintextOf(utf8('hello')).length;
    const address = encodeAddress(from);
    const wrong = {
      'no plaintext': new Uint8Array(0),
      'only a kind': u8(1),
      'not padded': plaintextOf(utf8('hello')),
      'padded to a longer step': concat(good, new Uint8Array(1024)),
      'padded one short': good.slice(0, -1),
      'padded one long': concat(good, u8(0)),
      'other than zero right behind the body': flipped(good, inner),
      'other than zero at the end': flipped(good, good.length - 1),
      'a body longer than all': pad(concat(u8(1), address, u32(5000), utf8('hello'))),
      'a body of 4 GiB': pad(concat(u8(1), address, u32(0xffffffff), utf8('hello'))),
      'a short account id': pad(
        concat(u8(1), fromHex('001f'), random(31), fromHex('0010'), random(16), u32(0)),
      ),
      'a long device id': pad(
        concat(u8(1), fromHex('0020'), random(32), fromHex('0011'), random(17), u32(0)),
      ),
      zeros: new Uint8Array(1024),
    };
    await expect(open({ me, sealingKeys, envelope: await sealedPlaintext(good) })).resolves.toBeDefined();
    for (const [what, plaintext] of Object.entries(wrong)) {
      const sealed = await sealedPlaintext(plaintext);
      await expect(open({ me, sealingKeys, envelope: sealed }), what).rejects.toThrow(closed);
    }
  });
});

describe('not sealed', () => {
  it('A6 to a degenerate key', async () => {
    for (const [what, publicKey] of Object.entries(BAD_POINTS)) {
      const bad = { ...to, sealingKey: { id: 2, publicKey } };
      const sealed = seal({ from, to: bad, kind: 1, body: utf8('') });
      await expect(sealed, what).rejects.toThrow(expect.objectContaining({ code: 'bad-key' }));
    }
  });

  it('from or to what is no id, or with a kind past a byte', async () => {
    const body = utf8('');
    const bad = expect.objectContaining({ code: 'bad-encoding' });
    await expect(seal({ from: { ...from, account: from.device }, to, kind: 1, body })).rejects.toThrow(bad);
    await expect(seal({ from, to: { ...to, device: `${to.device}=` }, kind: 1, body })).rejects.toThrow(bad);
    await expect(seal({ from, to, kind: 256, body })).rejects.toThrow(bad);
  });
});
