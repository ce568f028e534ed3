import { beforeAll, describe, expect, it } from 'vitest';
import vectors from '../vectors/archive.json';
import {
  commitArchiveKey,
  generateArchiveKey,
  openArchiveKey,
  openPassingKey,
  sealArchiveKey,
  useArchiveKey,
  type ArchiveHolder,
  type ArchiveKey,
  type ArchiveRecipient,
  type PassingKey,
} from './archive-key.ts';
import { decodeManifest, encodeManifest, manifestHash, type Manifest } from './archive-manifest.ts';
import { openArchiveObject, sealArchiveObject } from './archive.ts';
import { concat, toBase64url, u8, type Bytes } from './bytes.ts';
import * as hpke from './hpke.ts';
import { generateSealingPair, type KeyPair } from './keys.ts';
import { gcm, hex, hkdf, hmac, hpkeOpen, id, info, int, lp, sha, ungcm, Z } from './reference-suite.ts';
import { BAD_POINTS, flipped, fromHex, importPair, random, toHex, unchanged } from './test-support.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const invalid = code('archive-invalid');
const malformed = code('bad-encoding');
const newAccount = () => toBase64url(random(32));

const account = newAccount();
const generation = 3;
const device = toBase64url(random(16));
const passkey = { kind: 'passkey' as const, credential: random(20), prf: random(32) };
let sealing: KeyPair;
let passing: PassingKey;
let key: ArchiveKey;
let commitment: Bytes;
let holders: ArchiveHolder[];

beforeAll(async () => {
  [sealing, passing] = await Promise.all([generateSealingPair(), generateArchiveKey()]);
  key = await useArchiveKey(passing);
  commitment = await commitArchiveKey({ account, generation }, key);
  holders = [
    { kind: 'device', device, sealing: { id: 7, ...sealing } },
    { kind: 'recovery', sealing },
    passkey,
  ];
});

/** What only the same archive key opens. */
const probe = (used: ArchiveKey) =>
  sealArchiveObject({
    account,
    position: 0,
    version: 0,
    key: used,
    plaintext: new Uint8Array(1),
    iv: new Uint8Array(12),
  });

describe('the published vectors of the archive', () => {
  const { copies, chunk, manifest } = vectors;
  const which = { account: vectors.account, generation: vectors.generation };
  const raw = hex(vectors.archiveKey);
  const place = Buffer.concat([lp(id(which.account)), int(which.generation, 4)]);

  it('hold for the commitment', () => {
    const context = info('archive/commit', place);
    expect(hmac(hkdf(Z, raw, context), context).toString('hex')).toBe(vectors.commitment);
  });

  it('hold for the copies of the key', async () => {
    const pair = { id: 7, ...(await importPair('ECDH', vectors.sealing.private, vectors.sealing.public)) };
    const { device: named, recovery, passkey: pass } = copies;
    const opened = { ...which, commitment: fromHex(vectors.commitment) };
    const by: ArchiveHolder[] = [
      { kind: 'device', device: named.device, sealing: pair },
      { kind: 'recovery', sealing: pair },
      { kind: 'passkey', credential: fromHex(pass.credential), prf: fromHex(pass.prf) },
    ];
    for (const [at, copy] of [named, recovery, pass].entries()) {
      const passed = await openPassingKey({ ...opened, by: by[at]!, sealed: fromHex(copy.sealed) });
      expect(toHex(new Uint8Array(await crypto.subtle.exportKey('raw', passed)))).toBe(vectors.archiveKey);
    }

    const contexts = [
      [int(1, 1), lp(id(named.device)), int(named.keyId, 4)],
      [int(2, 1), lp(hex(vectors.sealing.public))],
    ].map((holder) => info('archive/key', place, ...holder));
    for (const [at, copy] of [named, recovery].entries()) {
      const bytes = hex(copy.sealed);
      const aad = Buffer.concat([int(1, 1), int(at + 1, 1), int(which.generation, 4)]);
      expect(bytes.subarray(0, 6)).toEqual(aad);
      const enc = bytes.subarray(6, 71);
      expect(hpkeOpen(vectors.sealing, enc, contexts[at]!, aad, bytes.subarray(71))).toEqual(raw);
    }
    const kek = hkdf(id(which.account), hex(pass.prf), info('archive/passkey', lp(hex(pass.credential))));
    const aad = info('archive/key', place, int(3, 1), lp(hex(pass.credential)));
    const head = Buffer.concat([int(1, 1), int(3, 1), int(which.generation, 4), hex(pass.iv)]);
    expect(Buffer.concat([head, gcm(kek, hex(pass.iv), aad, raw)]).toString('hex')).toBe(pass.sealed);
  });

  it('hold for a chunk and the manifest', async () => {
    const used = await useArchiveKey(
      await crypto.subtle.importKey('raw', fromHex(vectors.archiveKey), 'AES-CTR', true, ['unwrapKey']),
    );
    for (const { kind, position, version, iv, sealed, plaintext } of [
      { ...chunk, kind: 1, position: chunk.position, plaintext: Buffer.from(chunk.text) },
      { ...manifest, kind: 0, position: 'manifest' as const, plaintext: hex(manifest.encoded) },
    ]) {
      const at = Buffer.concat([
        id(which.account),
        int(kind, 1),
        int(position === 'manifest' ? 0 : position, 8),
      ]);
      const context = info('archive', lp(at), int(version, 8));
      const object = Buffer.concat([hex(iv), gcm(hkdf(Z, raw, context), hex(iv), context, plaintext)]);
      expect(object.toString('hex')).toBe(sealed);
      const place = { account: which.account, position, version };
      const opened = await openArchiveObject({ ...place, key: used, sealed: fromHex(sealed) });
      expect(toHex(opened)).toBe(plaintext.toString('hex'));
      expect(() => ungcm(hkdf(Z, raw, context), hex(iv), info('archive'), object.subarray(12))).toThrow();
    }
    const entry = [int(5, 8), int(3, 8), int(which.generation, 4), sha(hex(chunk.sealed))];
    const encoded = Buffer.concat([int(1, 1), lp(id(which.account)), int(9, 8), int(1, 4), ...entry]);
    expect(encoded.toString('hex')).toBe(manifest.encoded);
    expect(sha(info('archive/manifest', encoded)).toString('hex')).toBe(manifest.hash);
    expect(toHex(await manifestHash(fromHex(manifest.encoded)))).toBe(manifest.hash);
    expect(decodeManifest(fromHex(manifest.encoded))).toMatchObject({ account: which.account, version: 9 });
  });
});

describe('an archive key', () => {
  it('reaches a device, the recovery key and a passkey, to use and to pass on', async () => {
    const expected = await probe(key);
    for (const by of holders) {
      const sealed = await sealArchiveKey({ account, generation, key: passing, to: by });
      const opened = await openArchiveKey({ account, generation, commitment, by, sealed });
      expect(await probe(opened)).toEqual(expected);
      expect(opened.extractable).toBe(false);
      expect(opened.usages).toEqual(['deriveKey']);
      const passed = await openPassingKey({ account, generation, commitment, by, sealed });
      expect(await probe(await useArchiveKey(passed))).toEqual(expected);
      const again = await sealArchiveKey({ account, generation, key: passed, to: holders[0]! });
      expect(again).not.toEqual(sealed);
      expect(
        await probe(
          await openArchiveKey({ account, generation, commitment, by: holders[0]!, sealed: again }),
        ),
      ).toEqual(expected);
    }
  });

  it('in use cannot be taken out', async () => {
    expect(key.extractable).toBe(false);
    expect(key.algorithm.name).toBe('HKDF');
    expect(key.usages).toEqual(['deriveKey']);
    await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow();
  });

  it('travels as what HPKE seals of its bytes', async () => {
    const raw = new Uint8Array(await crypto.subtle.exportKey('raw', passing));
    const [ephemeral, recipient] = await Promise.all([generateSealingPair(), generateSealingPair()]);
    const sealed = { suite: hpke.AES_256_GCM, info: random(5), aad: random(5), ephemeral };
    const to = recipient.publicKey;
    const wrapped = await hpke.wrapKey({ ...sealed, recipient: to, wrapped: passing });
    expect(wrapped).toEqual(await hpke.seal({ ...sealed, recipient: to, plaintext: raw }));
    const { enc, ciphertext } = wrapped;
    const back = { ...sealed, recipient, enc, ciphertext };
    expect(await hpke.open(back)).toEqual(raw);
    expect((await hpke.unwrapKey({ ...back, as: 'AES-CTR' })).extractable).toBe(true);
    const short = await hpke.seal({ ...sealed, recipient: to, plaintext: raw.slice(1) });
    for (const as of ['AES-CTR', 'HKDF'] as const) {
      const unwrapped = hpke.unwrapKey({ ...back, ciphertext: short.ciphertext, as });
      await expect(unwrapped).rejects.toThrow(code('cannot-open'));
    }
  });

  it('A11 is refused with any byte of a copy changed, cut anywhere, or longer', async () => {
    for (const by of holders) {
      const sealed = await sealArchiveKey({ account, generation, key: passing, to: by });
      const opening = { account, generation, commitment, by };
      for (let at = 0; at < sealed.length; at += 1) {
        const changed = flipped(sealed, at, 1 << (at % 8));
        const refused = at === 0 ? code('unsupported') : invalid;
        await expect(openArchiveKey({ ...opening, sealed: changed }), `${at}`).rejects.toThrow(refused);
        await expect(openPassingKey({ ...opening, sealed: changed }), `${at}`).rejects.toThrow(refused);
        await expect(openArchiveKey({ ...opening, sealed: sealed.slice(0, at) })).rejects.toThrow(invalid);
      }
      await expect(openArchiveKey({ ...opening, sealed: concat(sealed, u8(0)) })).rejects.toThrow(invalid);
    }
  });

  it('A11 is refused for another account, generation or holder', async () => {
    const other = await generateSealingPair();
    for (const [at, by] of holders.entries()) {
      const sealed = await sealArchiveKey({ account, generation, key: passing, to: by });
      const opening = { account, generation, commitment, by, sealed };
      const wrong: ArchiveHolder[] = [
        ...holders.toSpliced(at, 1),
        { kind: 'device', device: toBase64url(random(16)), sealing: { id: 7, ...sealing } },
        { kind: 'device', device, sealing: { id: 8, ...sealing } },
        { kind: 'device', device, sealing: { id: 7, ...other } },
        { kind: 'recovery', sealing: other },
        { ...passkey, prf: random(32) },
        { ...passkey, credential: random(20) },
      ];
      for (const each of wrong) {
        await expect(openArchiveKey({ ...opening, by: each }), each.kind).rejects.toThrow(invalid);
      }
      // Under commitments that would fit, so that it is the copy that says no.
      for (const which of [
        { account: newAccount(), generation },
        { account, generation: 2 },
      ]) {
        const fitting = { ...opening, ...which, commitment: await commitArchiveKey(which, key) };
        await expect(openArchiveKey(fitting)).rejects.toThrow(invalid);
        await expect(openPassingKey(fitting)).rejects.toThrow(invalid);
      }
    }
  });

  it('A11 of the relay’s making is refused, however well it is sealed', async () => {
    const forged = await generateArchiveKey();
    for (const by of holders) {
      const sealed = await sealArchiveKey({ account, generation, key: forged, to: by });
      const opening = { account, generation, by, sealed };
      await expect(openArchiveKey({ ...opening, commitment })).rejects.toThrow(invalid);
      await expect(openPassingKey({ ...opening, commitment })).rejects.toThrow(invalid);
      const own = await commitArchiveKey({ account, generation }, await useArchiveKey(forged));
      await expect(openArchiveKey({ ...opening, commitment: own })).resolves.toBeDefined();
    }
  });

  it('has a commitment for each account and generation', async () => {
    expect(await commitArchiveKey({ account, generation }, key)).toEqual(commitment);
    expect(await commitArchiveKey({ account, generation: 4 }, key)).not.toEqual(commitment);
    expect(await commitArchiveKey({ account: newAccount(), generation }, key)).not.toEqual(commitment);
  });

  it('A6 is not sealed to a degenerate key', async () => {
    for (const publicKey of Object.values(BAD_POINTS)) {
      for (const to of [
        { kind: 'device', device, sealing: { id: 1, publicKey } },
        { kind: 'recovery', sealing: { publicKey } },
      ] satisfies ArchiveRecipient[]) {
        await expect(sealArchiveKey({ account, generation, key: passing, to })).rejects.toThrow(
          code('bad-key'),
        );
      }
    }
  });

  it('takes well-formed ids', async () => {
    const sealed = await sealArchiveKey({ account, generation, key: passing, to: passkey });
    for (const wrong of [{ account: 'AAAA' }, { generation: 0 }, { generation: 2 ** 32 }]) {
      const request = { account, generation, key: passing, to: passkey, ...wrong };
      await expect(sealArchiveKey(request)).rejects.toThrow(malformed);
      const opening = { account, generation, commitment, by: passkey, sealed, ...wrong };
      await expect(openArchiveKey(opening)).rejects.toThrow(malformed);
    }
    const short = { ...passkey, prf: random(31) };
    await expect(sealArchiveKey({ account, generation, key: passing, to: short })).rejects.toThrow(malformed);
  });

  it('leaves what it is made from as it was', async () => {
    const sealed = await sealArchiveKey({ account, generation, key: passing, to: holders[0]! });
    await unchanged({ account, generation, commitment, by: holders[0]!, sealed }, async (inputs) => {
      await openArchiveKey(inputs);
      await sealArchiveKey({ account, generation, key: passing, to: inputs.by });
      await expect(openArchiveKey({ ...inputs, generation: 9 })).rejects.toThrow(invalid);
    });
  });
});

describe('an object of the archive', () => {
  const place = { account, position: 5, version: 3 };
  const plaintext = random(50);

  it('comes back from its place', async () => {
    for (const position of [0, 5, 2 ** 53 - 1, 'manifest'] as const) {
      const at = { ...place, position };
      const sealed = await sealArchiveObject({ ...at, key, plaintext });
      expect(await openArchiveObject({ ...at, key, sealed })).toEqual(plaintext);
      expect(sealed.length).toBe(plaintext.length + 28);
      expect(await sealArchiveObject({ ...at, key, plaintext })).not.toEqual(sealed);
    }
  });

  it('A11 is refused in an older or newer version, at another place, of another account or key', async () => {
    const sealed = await sealArchiveObject({ ...place, key, plaintext });
    for (const wrong of [
      { version: 2 },
      { version: 4 },
      { position: 4 },
      { position: 0 },
      { position: 'manifest' as const },
      { account: newAccount() },
      { key: await useArchiveKey(await generateArchiveKey()) },
    ]) {
      await expect(openArchiveObject({ ...place, key, sealed, ...wrong })).rejects.toThrow(invalid);
    }
    const manifest = await sealArchiveObject({ ...place, position: 'manifest', key, plaintext });
    await expect(openArchiveObject({ ...place, position: 0, key, sealed: manifest })).rejects.toThrow(
      invalid,
    );
  });

  it('A11 is refused with any byte changed, cut anywhere, or longer', async () => {
    const sealed = await sealArchiveObject({ ...place, key, plaintext });
    for (let at = 0; at < sealed.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = { ...place, key, sealed: flipped(sealed, at, 1 << bit) };
        await expect(openArchiveObject(changed), `byte ${at}`).rejects.toThrow(invalid);
      }
      const cut = { ...place, key, sealed: sealed.slice(0, at) };
      await expect(openArchiveObject(cut), `${at} bytes`).rejects.toThrow(invalid);
    }
    const longer = { ...place, key, sealed: concat(sealed, u8(0)) };
    await expect(openArchiveObject(longer)).rejects.toThrow(invalid);
  });

  it('takes a place that can be written down', async () => {
    for (const wrong of [{ account: 'AAAA' }, { position: -1 }, { position: 0.5 }, { version: 2 ** 53 }]) {
      const request = { ...place, key, ...wrong };
      await expect(sealArchiveObject({ ...request, plaintext })).rejects.toThrow(malformed);
      await expect(openArchiveObject({ ...request, sealed: random(50) })).rejects.toThrow(malformed);
    }
  });

  it('leaves what it is made from as it was', async () => {
    await unchanged({ ...place, plaintext }, async (inputs) => {
      const sealed = await sealArchiveObject({ ...inputs, key });
      await unchanged({ sealed }, () => openArchiveObject({ ...place, key, sealed }));
    });
  });
});

describe('a manifest', () => {
  const entry = (position: number) => ({ position, version: 1 + position, generation: 1, hash: random(32) });
  const manifest: Manifest = { account, version: 4, entries: [0, 3, 7].map(entry) };

  it('comes back from its one encoding', async () => {
    for (const entries of [[], manifest.entries]) {
      const encoded = encodeManifest({ ...manifest, entries });
      expect(decodeManifest(encoded)).toEqual({ ...manifest, entries });
    }
    const before = { ...manifest };
    await unchanged({ manifest: before }, async (inputs) => encodeManifest(inputs.manifest));
  });

  it('A11 has another hash when anything in it differs', async () => {
    const encoded = encodeManifest(manifest);
    const hash = toHex(await manifestHash(encoded));
    for (let at = 0; at < encoded.length; at += 1) {
      expect(toHex(await manifestHash(flipped(encoded, at)))).not.toBe(hash);
    }
    const [first, second] = manifest.entries;
    for (const other of [
      { ...manifest, version: 3 },
      { ...manifest, entries: [first!] },
      { ...manifest, entries: [first!, { ...second!, version: 1 }] },
    ]) {
      expect(toHex(await manifestHash(encodeManifest(other)))).not.toBe(hash);
    }
  });

  it('names positions once and in order', () => {
    for (const positions of [
      [3, 3],
      [3, 2],
      [0, 5, 4],
    ]) {
      const entries = positions.map(entry);
      expect(() => encodeManifest({ ...manifest, entries })).toThrow(malformed);
      const rows = entries.map((row) => encodeManifest({ ...manifest, entries: [row] }).slice(-52));
      const head = encodeManifest({ ...manifest, entries: [] }).slice(0, -4);
      const encoded = concat(head, new Uint8Array([0, 0, 0, rows.length]), ...rows);
      expect(() => decodeManifest(encoded)).toThrow(malformed);
    }
  });

  it('is refused cut anywhere, longer, of another version, or with what does not fit', () => {
    const encoded = encodeManifest(manifest);
    for (let length = 0; length < encoded.length; length += 1) {
      expect(() => decodeManifest(encoded.slice(0, length)), `${length} bytes`).toThrow(malformed);
    }
    expect(() => decodeManifest(concat(encoded, u8(0)))).toThrow(malformed);
    expect(() => decodeManifest(concat(u8(2), encoded.slice(1)))).toThrow(code('unsupported'));
    expect(() => encodeManifest({ ...manifest, account: 'AAAA' })).toThrow(malformed);
    const short = { ...entry(1), hash: random(31) };
    expect(() => encodeManifest({ ...manifest, entries: [short] })).toThrow(malformed);
  });
});
