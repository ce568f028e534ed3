import { createPrivateKey } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import vectors from '../vectors/recovery.json';
import { concat, lp, Reader, toBase64url, u8, type Bytes } from './bytes.ts';
import { sign, verify } from './keys.ts';
import { formatRecoveryCode, parseRecoveryCode } from './recovery-code.ts';
import { createRecovery, openRecovery, recoveryAccess, type RecoveryKeys } from './recovery.ts';
import { gcm, hex, hkdf, id, info, sha, ungcm, Z } from './reference-suite.ts';
import { BAD_POINTS, flipped, fromHex, random, toHex, unchanged } from './test-support.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const invalid = code('recovery-invalid');
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const secrets = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => new Uint8Array(bytes));

describe('a recovery code', () => {
  it.each(vectors.codes)('is as published: $code', async ({ secret, code: text }) => {
    expect(await formatRecoveryCode(fromHex(secret))).toBe(text);
    expect(toHex(await parseRecoveryCode(text))).toBe(secret);
    const bits = [...text.replaceAll('-', '')]
      .map((each) => ALPHABET.indexOf(each).toString(2).padStart(5, '0'))
      .join('');
    const check = sha(info('recovery/check', hex(secret)));
    const expected = [...hex(secret), ...check.subarray(0, 2)];
    expect(bits).toBe(
      expected
        .map((byte) => byte.toString(2).padStart(8, '0'))
        .join('')
        .slice(0, 140),
    );
  });

  it('is 28 characters in seven groups of four, and comes back', async () => {
    await fc.assert(
      fc.asyncProperty(secrets, async (secret) => {
        const text = await formatRecoveryCode(secret);
        expect(text).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){6}$/);
        expect(await parseRecoveryCode(text)).toEqual(secret);
      }),
    );
  });

  it('is understood as people type it', async () => {
    const secret = fromHex('00443214c74254b635cf84653a56d7c6');
    const text = await formatRecoveryCode(secret);
    expect(text).toMatch(/0.*1|1.*0/);
    for (const typed of [
      text.toLowerCase(),
      text.replaceAll('-', ''),
      text.replaceAll('-', ' '),
      text.replaceAll('-', ' – '),
      ` ${text}\n`,
      [...text].join(' '),
      text.replaceAll('1', 'I').replaceAll('0', 'O'),
      text.replaceAll('1', 'l').replaceAll('0', 'o'),
      text.replaceAll('1', 'i'),
    ]) {
      expect(await parseRecoveryCode(typed), typed).toEqual(secret);
    }
  });

  it('with any one character wrong, or two neighbours changed places, says checksum almost always', async () => {
    const text = (await formatRecoveryCode(fromHex('9f3c'.repeat(8)))).replaceAll('-', '');
    let [wrong, missed] = [0, 0];
    const tryOut = async (typed: string) => {
      if (typed === text) return;
      wrong += 1;
      await parseRecoveryCode(typed).then(
        () => (missed += 1),
        (error: unknown) => expect(error).toEqual(code('recovery-code-checksum')),
      );
    };
    for (let at = 0; at < text.length; at += 1) {
      for (const other of ALPHABET) await tryOut(text.slice(0, at) + other + text.slice(at + 1));
      await tryOut(text.slice(0, at) + (text[at + 1] ?? '') + text[at] + text.slice(at + 2));
    }
    expect(wrong).toBeGreaterThan(800);
    // 1 in 4,096 is to be expected.
    expect(missed).toBeLessThan(5);
  });

  it('of another length or with other characters is malformed', async () => {
    const text = await formatRecoveryCode(random(16));
    for (const typed of [
      '',
      '-',
      text.slice(1),
      `${text}0`,
      text.slice(0, 5),
      text.replace(/^./, 'U'),
      text.replace(/^./, 'ß'),
      text.replace(/^./, '＋'),
      text.replace(/^./, '.'),
    ]) {
      await expect(parseRecoveryCode(typed), typed).rejects.toThrow(code('recovery-code-malformed'));
    }
  });

  it('is made of 16 bytes', async () => {
    for (const length of [0, 15, 17]) {
      await expect(formatRecoveryCode(random(length))).rejects.toThrow(code('bad-encoding'));
    }
  });
});

describe('the published vectors of recovery', () => {
  const { account, blob, keys } = vectors;
  const secret = fromHex(vectors.secret);

  it('hold for what the relay is asked with', async () => {
    const { lookup, token } = await recoveryAccess(secret);
    for (const [made, label, published] of [
      [lookup, 'recovery/lookup', vectors.lookup],
      [token, 'recovery/token', vectors.token],
    ] as const) {
      expect(toHex(made)).toBe(published);
      expect(hkdf(Z, secret, info(label)).toString('hex')).toBe(published);
    }
    for (const length of [0, 15, 17, 32]) {
      await expect(recoveryAccess(random(length))).rejects.toThrow(code('bad-encoding'));
    }
  });

  it('hold for the wrapped keys', async () => {
    const opened = await openRecovery({ account, secret, blob: fromHex(blob) });
    expect(toHex(opened.signing.publicKey)).toBe(keys.signing.public);
    expect(toHex(opened.sealing.publicKey)).toBe(keys.sealing.public);

    const kek = hkdf(id(account), secret, info('recovery/wrap'));
    const publics = [keys.signing.public, keys.sealing.public].map(hex);
    const aad = info('recovery', id(account), ...publics);
    const reader = new Reader(fromHex(blob));
    expect([reader.u8(), ...[reader.lp(), reader.lp()].map(toHex)]).toEqual([
      1,
      keys.signing.public,
      keys.sealing.public,
    ]);
    for (const pair of [keys.signing, keys.sealing]) {
      const pkcs8 = ungcm(kek, reader.take(12), aad, reader.lp());
      const jwk = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
      expect(id(jwk.d!).toString('hex')).toBe(pair.private);
    }
    reader.end();
  });
});

describe('wrapped recovery keys', () => {
  const account = toBase64url(random(32));
  const secret = random(16);
  let made: RecoveryKeys & { blob: Bytes };

  beforeAll(async () => {
    made = await createRecovery({ account, secret });
  });

  it('open with the code, as the same keys, which cannot be taken out', async () => {
    const opened = await openRecovery({ account, secret, blob: made.blob });
    const message = random(8);
    const signature = await sign(opened.signing.privateKey, message);
    expect(await verify(made.signing.publicKey, signature, message)).toBe(true);
    for (const { privateKey } of [opened.signing, opened.sealing, made.signing, made.sealing]) {
      expect(privateKey.extractable).toBe(false);
      await expect(crypto.subtle.exportKey('pkcs8', privateKey)).rejects.toThrow();
    }
    expect(opened.signing.privateKey.usages).toEqual(['sign']);
    expect(opened.sealing.privateKey.usages).toEqual(['deriveBits']);
  });

  it('are new each time, under new IVs', async () => {
    const again = await createRecovery({ account, secret });
    expect(again.signing.publicKey).not.toEqual(made.signing.publicKey);
    expect(again.sealing.publicKey).not.toEqual(made.sealing.publicKey);
    const ivs = [made.blob, again.blob].flatMap((blob) => {
      const reader = new Reader(blob.slice(1 + 2 * 67));
      const first = toHex(reader.take(12));
      reader.lp();
      return [first, toHex(reader.take(12))];
    });
    expect(new Set(ivs).size).toBe(4);
  });

  it('do not open with another code, or for another account', async () => {
    for (let at = 0; at < 16; at += 1) {
      const other = { account, secret: flipped(secret, at), blob: made.blob };
      await expect(openRecovery(other)).rejects.toThrow(invalid);
    }
    const elsewhere = { account: toBase64url(random(32)), secret, blob: made.blob };
    await expect(openRecovery(elsewhere)).rejects.toThrow(invalid);
  });

  it('A11 are refused with any byte changed, cut anywhere, or longer', async () => {
    for (let at = 1; at < made.blob.length; at += 1) {
      const changed = { account, secret, blob: flipped(made.blob, at, 1 << (at % 8)) };
      await expect(openRecovery(changed), `byte ${at}`).rejects.toThrow(invalid);
      const cut = { account, secret, blob: made.blob.slice(0, at) };
      await expect(openRecovery(cut), `${at} bytes`).rejects.toThrow(invalid);
    }
    await expect(openRecovery({ account, secret, blob: new Uint8Array(0) })).rejects.toThrow(invalid);
    await expect(openRecovery({ account, secret, blob: concat(made.blob, u8(0)) })).rejects.toThrow(invalid);
    for (const version of [0, 2]) {
      const other = { account, secret, blob: concat(u8(version), made.blob.slice(1)) };
      await expect(openRecovery(other)).rejects.toThrow(code('unsupported'));
    }
  });

  it('A5 A11 are refused with the two keys in each other’s place', async () => {
    const reader = new Reader(made.blob);
    const [version, signing, sealing] = [reader.u8(), reader.lp(), reader.lp()];
    const [first, second] = [0, 1].map(() => concat(reader.take(12), lp(reader.lp())));
    const head = concat(u8(version), lp(signing), lp(sealing));
    expect(concat(head, first!, second!)).toEqual(made.blob);
    for (const slots of [
      [second!, first!],
      [first!, first!],
      [second!, second!],
    ]) {
      const blob = concat(head, ...slots);
      await expect(openRecovery({ account, secret, blob })).rejects.toThrow(invalid);
    }
    const blob = concat(u8(version), lp(sealing), lp(signing), first!, second!);
    await expect(openRecovery({ account, secret, blob })).rejects.toThrow(invalid);
  });

  it('A6 are refused with a degenerate public key, also when whoever has the code wrapped them so', async () => {
    const kek = hkdf(id(account), secret, info('recovery/wrap'));
    const reader = new Reader(made.blob.slice(1));
    const publics = [reader.lp(), reader.lp()];
    const aad = info('recovery', id(account), ...publics);
    const privates = [0, 1].map(() => ungcm(kek, reader.take(12), aad, reader.lp()));
    const wrap = (points: readonly Bytes[]) => {
      const iv = random(12);
      const bound = info('recovery', id(account), ...points);
      const slots = privates.map((each) => concat(iv, lp(gcm(kek, iv, bound, each))));
      return concat(u8(1), ...points.map((point) => lp(point)), ...slots);
    };
    expect(await openRecovery({ account, secret, blob: wrap(publics) })).toBeDefined();
    const compressed = (point: Bytes) => concat(u8(2 + (point[64]! & 1)), point.slice(1, 33));
    for (const at of [0, 1]) {
      for (const point of [...Object.values(BAD_POINTS), compressed(publics[at]!)]) {
        const blob = wrap(publics.with(at, point));
        await expect(openRecovery({ account, secret, blob })).rejects.toThrow(invalid);
      }
    }
  });

  it('take a well-formed account and secret', async () => {
    for (const wrong of [
      { account: 'AAAA', secret },
      { account: '!', secret },
      { account, secret: random(15) },
      { account, secret: random(17) },
    ]) {
      await expect(createRecovery(wrong)).rejects.toThrow(code('bad-encoding'));
      await expect(openRecovery({ ...wrong, blob: made.blob })).rejects.toThrow(code('bad-encoding'));
    }
  });

  it('leave what they are made from as it was', async () => {
    await unchanged({ account, secret, blob: made.blob }, async (inputs) => {
      await createRecovery(inputs);
      await openRecovery(inputs);
      await recoveryAccess(inputs.secret);
      await formatRecoveryCode(inputs.secret);
    });
  });
});
