import { beforeAll, describe, expect, it } from 'vitest';
import { concat, lp, Reader, toBase64url, u64, u8, type Bytes } from './bytes.ts';
import { createChain, verifyChain } from './chain.ts';
import { deviceId, generateAgreementKey, generateSigningKey, sha256, sign, type KeyPair } from './keys.ts';
import { I, type SignatureLabel } from './labels.ts';
import { BAD_POINTS, flipped, fromHex, toHex } from './test-support.ts';

const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const invalid = expect.objectContaining({ code: 'chain-invalid' });
const createdAt = 1_700_000_000_000;

let signing: KeyPair;
let identity: KeyPair;
let account: string;
let event: Bytes;

beforeAll(async () => {
  [signing, identity] = await Promise.all([generateSigningKey(), generateAgreementKey()]);
  ({ account, event } = await createChain({ signing, identity, createdAt }));
});

/** An event of whatever content, properly signed. */
const signed = async (content: Bytes, label: SignatureLabel = 'chain'): Promise<Bytes> =>
  concat(lp(content), await sign(signing.privateKey, I(label, content)));

const content = (parts: { version?: number; kind?: number; previous?: Bytes; body?: Bytes } = {}): Bytes =>
  concat(
    u8(parts.version ?? 1),
    u8(parts.kind ?? 1),
    u64(createdAt),
    lp(parts.previous ?? new Uint8Array(0)),
    parts.body ?? concat(lp(signing.publicKey), lp(identity.publicKey)),
  );

describe('a new chain', () => {
  it('names its device', async () => {
    const state = await verifyChain([event]);
    expect(state.account).toBe(account);
    expect(state.devices).toEqual([
      { device: await deviceId(signing.publicKey), signing: signing.publicKey, identity: identity.publicKey },
    ]);
  });

  it('is laid out as the specification says', () => {
    const reader = new Reader(event);
    expect(reader.lp()).toEqual(content());
    expect(reader.rest().length).toBe(64);
    expect(toHex(content())).toBe(
      `01010000018bcfe568000000${'0041'}${toHex(signing.publicKey)}${'0041'}${toHex(identity.publicKey)}`,
    );
  });

  it('has the hash of its signed content, without the signature, for an id', async () => {
    const again = await signed(content());
    expect(again).not.toEqual(event);
    const [first, second] = await Promise.all([verifyChain([event]), verifyChain([again])]);
    expect(second).toEqual(first);
    expect(first.head).toEqual(await sha256(I('chain', content())));
    expect(account).toBe(toBase64url(first.head));
  });

  it('is not made of keys that do not fit each other', async () => {
    const other = await generateSigningKey();
    const mixed = { publicKey: signing.publicKey, privateKey: other.privateKey };
    await expect(createChain({ signing: mixed, identity, createdAt })).rejects.toThrow(invalid);
    await expect(createChain({ signing, identity: signing, createdAt })).rejects.toThrow(invalid);
  });

  it('does not change what it was given', async () => {
    const before = new Uint8Array(event);
    const { devices } = await verifyChain([event]);
    devices[0]!.signing.fill(0);
    expect(event).toEqual(before);
  });
});

describe('refused as a chain', () => {
  it('nothing', () => expect(verifyChain([])).rejects.toThrow(invalid));

  it('an event with any byte changed', async () => {
    for (let at = 0; at < event.length; at += 1) {
      await expect(verifyChain([flipped(event, at)]), `byte ${at}`).rejects.toThrow(invalid);
    }
  });

  it('an event cut anywhere, or with more behind it', async () => {
    for (let length = 0; length < event.length; length += 1) {
      await expect(verifyChain([event.slice(0, length)]), `${length} bytes`).rejects.toThrow(invalid);
    }
    await expect(verifyChain([concat(event, u8(0))])).rejects.toThrow(invalid);
    await expect(verifyChain([concat(event, event.slice(-64))])).rejects.toThrow(invalid);
  });

  it('well signed content that is not what it should be', async () => {
    const body = concat(lp(signing.publicKey), lp(identity.publicKey));
    const wrong = {
      'an unknown version': content({ version: 2 }),
      'version 0': content({ version: 0 }),
      'an unknown kind': content({ kind: 2 }),
      'kind 0': content({ kind: 0 }),
      'a first event after something': content({ previous: new Uint8Array(32) }),
      'a byte behind the body': content({ body: concat(body, u8(0)) }),
      'a key missing': content({ body: lp(signing.publicKey) }),
      'an empty body': content({ body: new Uint8Array(0) }),
      'a time past 2^53': concat(u8(1), u8(1), fromHex('0020000000000000'), lp(concat()), body),
      'one key twice': content({ body: concat(lp(signing.publicKey), lp(signing.publicKey)) }),
      'the keys of the two slots swapped': content({
        body: concat(lp(identity.publicKey), lp(signing.publicKey)),
      }),
    };
    await expect(verifyChain([await signed(content())])).resolves.toBeDefined();
    for (const [what, bytes] of Object.entries(wrong)) {
      await expect(verifyChain([await signed(bytes)]), what).rejects.toThrow(invalid);
    }
  });

  it('A6 an event with a degenerate key in it', async () => {
    for (const [what, point] of Object.entries(BAD_POINTS)) {
      const asSigning = await signed(content({ body: concat(lp(point), lp(identity.publicKey)) }));
      const asIdentity = await signed(content({ body: concat(lp(signing.publicKey), lp(point)) }));
      await expect(verifyChain([asSigning]), what).rejects.toThrow(invalid);
      await expect(verifyChain([asIdentity]), what).rejects.toThrow(invalid);
    }
  });

  it('A6 an event with the high-s twin of its signature', async () => {
    const s = BigInt(`0x${toHex(event.slice(-32))}`);
    const twin = concat(event.slice(0, -32), fromHex((N - s).toString(16).padStart(64, '0')));
    await expect(verifyChain([twin])).rejects.toThrow(invalid);
  });

  it('A8 an event signed under another label, or under none', async () => {
    const bare = concat(lp(content()), await sign(signing.privateKey, content()));
    await expect(verifyChain([await signed(content(), 'membership')])).rejects.toThrow(invalid);
    await expect(verifyChain([bare])).rejects.toThrow(invalid);
  });

  it('an event that somebody else signed', async () => {
    const other = await generateSigningKey();
    const forged = concat(lp(content()), await sign(other.privateKey, I('chain', content())));
    await expect(verifyChain([forged])).rejects.toThrow(invalid);
  });

  it('a second creation, in place or linked', async () => {
    const { head } = await verifyChain([event]);
    await expect(verifyChain([event, event])).rejects.toThrow(invalid);
    await expect(verifyChain([event, await signed(content({ previous: head }))])).rejects.toThrow(invalid);
  });
});
