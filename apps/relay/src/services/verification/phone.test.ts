import { createPublicKey, createSecretKey } from 'node:crypto';
import { resolve } from 'node:path';
import * as jose from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryDatabase } from '../../../test/harness.ts';
import { migrate } from '../../postgres/migrate.ts';
import { PhoneSignIns } from './phone.ts';
import { GOOGLE_KEYS, publishedKeys } from './published-keys.ts';

const PROJECT = 'sotto-test';
const clock = { ahead: 0 };
const { now: realNow } = Date;
/** For whoever asks, jose too. */
const now = () => realNow() + clock.ahead;
vi.spyOn(Date, 'now').mockImplementation(now);
const seconds = () => Math.floor(now() / 1000);

/** What stands in for Google: keys by name, and how the address answers. */
interface Key {
  kid: string;
  privateKey: jose.CryptoKey;
  jwk: jose.JWK;
}
const makeKey = async (kid: string): Promise<Key> => {
  const { privateKey, publicKey } = await jose.generateKeyPair('RS256', { extractable: true });
  return { kid, privateKey, jwk: { ...(await jose.exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
};
const google = {
  published: [] as Key[],
  requests: [] as string[],
  answer: undefined as (() => Response) | undefined,
};
const fetchKeys: typeof fetch = async (input) => {
  google.requests.push(input as string);
  if (google.answer) return google.answer();
  return Response.json({ keys: google.published.map(({ jwk }) => jwk) });
};

let database: Awaited<ReturnType<typeof temporaryDatabase>>;
let one: Key;
let two: Key;
let phones: PhoneSignIns;
let uid = 0;

const open = () => new PhoneSignIns({ projectId: PROJECT, keys: publishedKeys(fetchKeys), now });

beforeAll(async () => {
  database = await temporaryDatabase();
  await migrate(database.pool, resolve(import.meta.dirname, '../../../../../prisma/migrations'));
  [one, two] = [await makeKey('one'), await makeKey('two')];
});
beforeEach(() => {
  clock.ahead = 0;
  Object.assign(google, { published: [one], requests: [], answer: undefined });
  phones = open();
});
afterAll(() => database.close());

/** As Firebase writes them. */
const claims = (changes: Record<string, unknown> = {}) => ({
  iss: `https://securetoken.google.com/${PROJECT}`,
  aud: PROJECT,
  auth_time: seconds() - 5,
  user_id: `uid${uid}`,
  sub: `uid${(uid += 1)}`,
  iat: seconds() - 5,
  exp: seconds() + 3595,
  phone_number: '+15555550100',
  firebase: { identities: { phone: ['+15555550100'] }, sign_in_provider: 'phone' },
  ...changes,
});
const sign = (
  payload: Record<string, unknown>,
  { header = {}, key = one }: { header?: Record<string, unknown>; key?: Key } = {},
) =>
  new jose.SignJWT(payload)
    .setProtectedHeader({ alg: 'RS256', kid: key.kid, typ: 'JWT', ...header })
    .sign(key.privateKey);
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = (payload: unknown) => `${part({ alg: 'none', typ: 'JWT' })}.${part(payload)}.`;
const register = async (token: string, through = phones) => {
  const step = await through.check({ token });
  await database.prisma.$transaction(async (tx) => step(tx));
};
const FAILED = { code: 'verification-failed', detail: 'phone' };

describe('a phone sign-in', () => {
  it('of Firebase is accepted, and no number stays', async () => {
    const token = await sign(claims());
    await register(token);
    const { rows } = await database.pool.query('SELECT * FROM phone_sign_in');
    expect(rows).toHaveLength(1);
    expect(Object.keys(rows[0] as object).sort()).toEqual(['expires_at', 'id']);
    expect(google.requests).toEqual([GOOGLE_KEYS]);
  });

  it('serves one registration, also through fresh tokens of it, another relay and a restart', async () => {
    const payload = claims();
    await register(await sign(payload));
    const refreshed = await sign({ ...payload, iat: seconds(), exp: seconds() + 3600 });
    await expect(register(refreshed)).rejects.toMatchObject(FAILED);
    await expect(register(refreshed, open())).rejects.toMatchObject(FAILED);
    await register(await sign(claims({ sub: payload.sub, auth_time: payload.auth_time + 1 })));
  });

  it('serves one of those who come at once', async () => {
    const token = await sign(claims());
    const ends = await Promise.allSettled([1, 2, 3, 4].map(() => register(token)));
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject(FAILED);
  });

  it('serves again when the registration is undone', async () => {
    const token = await sign(claims());
    const step = await phones.check({ token });
    const undone = database.prisma.$transaction(async (tx) => {
      await step(tx);
      throw new Error('handle taken');
    });
    await expect(undone).rejects.toThrow('handle taken');
    await register(token);
  });

  it('is remembered for as long as a token of it would be accepted', async () => {
    const payload = claims();
    const step = await phones.check({ token: await sign(payload) });
    await database.prisma.$transaction(async (tx) => step(tx));
    const { rows } = await database.pool.query<{ expires_at: Date }>(
      'SELECT max(expires_at) AS expires_at FROM phone_sign_in',
    );
    clock.ahead = rows[0]!.expires_at.getTime() - realNow();
    const late = await sign({ ...payload, iat: seconds(), exp: seconds() + 3600 });
    await expect(phones.check({ token: late })).rejects.toMatchObject(FAILED);
  });

  it.each([
    ['ten minutes ago', () => ({ auth_time: seconds() - 600 }), true],
    ['eleven minutes ago', () => ({ auth_time: seconds() - 660 }), false],
    ['by a clock that is a little ahead', () => ({ auth_time: seconds() + 20, iat: seconds() + 20 }), true],
  ])('%s: accepted', async (_when, changes, accepted) => {
    const check = phones.check({ token: await sign(claims(changes())) });
    if (accepted) await check;
    else await expect(check).rejects.toMatchObject(FAILED);
  });
});

describe('I: forged and foreign tokens are refused', () => {
  const hmac = async (secret: string | Uint8Array, payload: Record<string, unknown>) =>
    new jose.SignJWT(payload)
      .setProtectedHeader({ alg: 'HS256', kid: 'one', typ: 'JWT' })
      .sign(createSecretKey(secret as never, 'utf8' as never));
  const pem = () =>
    createPublicKey({ key: one.jwk as never, format: 'jwk' })
      .export({ type: 'spki', format: 'pem' })
      .toString();

  it.each<[string, () => string | Promise<string>]>([
    ['unsigned', () => unsigned(claims())],
    [
      'unsigned, with the name of a key',
      () => `${part({ alg: 'none', kid: 'one', typ: 'JWT' })}.${part(claims())}.`,
    ],
    ['without its signature', async () => `${(await sign(claims())).replace(/[^.]+$/, '')}`],
    ['HS256 with the public key as the secret', () => hmac(pem(), claims())],
    ['HS256 with the modulus as the secret', () => hmac(Buffer.from(one.jwk.n!, 'base64url'), claims())],
    [
      'RS512 by a published key that names no algorithm',
      async () => {
        const { privateKey, publicKey } = await jose.generateKeyPair('RS512', { extractable: true });
        const jwk = { ...(await jose.exportJWK(publicKey)), kid: 'one' };
        google.published = [{ kid: 'one', privateKey, jwk }];
        return new jose.SignJWT(claims())
          .setProtectedHeader({ alg: 'RS512', kid: 'one', typ: 'JWT' })
          .sign(privateKey);
      },
    ],
    ['by a key under the name of another', async () => sign(claims(), { key: two, header: { kid: 'one' } })],
    ['by a key that is not published', async () => sign(claims(), { key: two })],
    [
      'with a key of its own in the header',
      async () => sign(claims(), { key: two, header: { jwk: two.jwk } }),
    ],
    [
      'with another address of keys in the header',
      async () => sign(claims(), { key: two, header: { jku: 'https://evil.example/keys' } }),
    ],
    ['of another type', async () => sign(claims(), { header: { typ: 'at+jwt' } })],
    ['without a type', async () => sign(claims(), { header: { typ: undefined } })],
    [
      'with a critical header nobody knows',
      async () => {
        const header = part({ alg: 'RS256', kid: 'one', typ: 'JWT', crit: ['x'], x: 1 });
        return `${header}.${part(claims())}.${part('signature')}`;
      },
    ],
    ['of another project (iss)', async () => sign(claims({ iss: 'https://securetoken.google.com/other' }))],
    ['of another project (aud)', async () => sign(claims({ aud: 'other' }))],
    [
      'a session cookie of the project',
      async () => sign(claims({ iss: `https://session.firebase.google.com/${PROJECT}` })),
    ],
    ['without iss', async () => sign(claims({ iss: undefined }))],
    ['without aud', async () => sign(claims({ aud: undefined }))],
    ['expired', async () => sign(claims({ exp: seconds() - 60 }))],
    ['without exp', async () => sign(claims({ exp: undefined }))],
    ['issued in the future', async () => sign(claims({ iat: seconds() + 120 }))],
    ['issued hours ago', async () => sign(claims({ iat: seconds() - 7200 }))],
    ['without iat', async () => sign(claims({ iat: undefined }))],
    ['signed in in the future', async () => sign(claims({ auth_time: seconds() + 120 }))],
    ['without auth_time', async () => sign(claims({ auth_time: undefined }))],
    ['with auth_time as text', async () => sign(claims({ auth_time: String(seconds()) }))],
    ['with null for auth_time', async () => sign(claims({ auth_time: null }))],
    ['with an empty sub', async () => sign(claims({ sub: '' }))],
    ['without sub', async () => sign(claims({ sub: undefined }))],
    ['with sub that is no text', async () => sign(claims({ sub: { a: 1 } }))],
    ['of an e-mail sign-in', async () => sign(claims({ firebase: { sign_in_provider: 'password' } }))],
    ['of an anonymous sign-in', async () => sign(claims({ firebase: { sign_in_provider: 'anonymous' } }))],
    [
      'of a custom sign-in with a number',
      async () => sign(claims({ firebase: { sign_in_provider: 'custom' } })),
    ],
    ['without a provider', async () => sign(claims({ firebase: undefined }))],
    ['with null for a provider', async () => sign(claims({ firebase: null }))],
    ['without a number', async () => sign(claims({ phone_number: undefined }))],
    ['with an empty number', async () => sign(claims({ phone_number: '' }))],
    [
      'changed after it was signed',
      async () => {
        const [head, , signature] = (await sign(claims())).split('.');
        return `${head}.${part(claims({ phone_number: '+15555550199' }))}.${signature}`;
      },
    ],
    ['no token', () => 'token'],
    ['three dots', () => '..'],
    ['encrypted', () => 'a.b.c.d.e'],
  ])('%s', async (_name, make) => {
    const token = await make();
    await expect(phones.check({ token })).rejects.toMatchObject(FAILED);
    expect(new Set(google.requests)).not.toContain('https://evil.example/keys');
  });
});

describe('the published keys', () => {
  it('are fetched when first needed and kept for an hour', async () => {
    expect(google.requests).toHaveLength(0);
    await Promise.all([
      phones.check({ token: await sign(claims()) }),
      phones.check({ token: await sign(claims()) }),
    ]);
    await phones.check({ token: await sign(claims()) });
    expect(google.requests).toHaveLength(1);
    clock.ahead = 3_601_000;
    await phones.check({ token: await sign(claims()) });
    expect(google.requests).toHaveLength(2);
  });

  it('that changed before their time are fetched again, and not whenever a stranger names one', async () => {
    await phones.check({ token: await sign(claims()) });
    google.published = [two];
    clock.ahead = 31_000;
    await phones.check({ token: await sign(claims(), { key: two }) });
    expect(google.requests).toHaveLength(2);
    await expect(phones.check({ token: await sign(claims()) })).rejects.toMatchObject(FAILED);
    for (let n = 0; n < 5; n += 1) {
      const token = await sign(claims(), { header: { kid: `invented${n}` } });
      await expect(phones.check({ token })).rejects.toMatchObject(FAILED);
    }
    expect(google.requests).toHaveLength(2);
  });

  it.each<[string, () => Response]>([
    [
      'away',
      () => {
        throw new TypeError('fetch failed');
      },
    ],
    ['in error', () => Response.json({ keys: [one.jwk] }, { status: 503 })],
    ['moved', () => new Response(null, { status: 302, headers: { location: 'https://evil.example' } })],
    ['no JSON', () => new Response('<html>')],
    ['no keys', () => Response.json({ one: '-----BEGIN CERTIFICATE-----' })],
  ])('%s: busy, and fine again with the next', async (_name, answer) => {
    google.answer = answer;
    const token = await sign(claims());
    await expect(phones.check({ token })).rejects.toMatchObject({ code: 'busy' });
    google.answer = undefined;
    await phones.check({ token });
  });

  it('too old and not to be had: busy, not accepted by the old ones', async () => {
    await phones.check({ token: await sign(claims()) });
    clock.ahead = 3_601_000;
    google.answer = () => new Response('no', { status: 500 });
    await expect(phones.check({ token: await sign(claims()) })).rejects.toMatchObject({ code: 'busy' });
  });
});

describe('under the Auth emulator', () => {
  const emulated = () => new PhoneSignIns({ projectId: PROJECT, keys: 'unsigned', now });

  it('an unsigned token is accepted, once', async () => {
    const token = unsigned(claims());
    await register(token, emulated());
    await expect(register(token, emulated())).rejects.toMatchObject(FAILED);
    expect(google.requests).toHaveLength(0);
  });

  it.each([
    ['of another project', () => unsigned(claims({ aud: 'other' }))],
    ['expired', () => unsigned(claims({ exp: seconds() - 60 }))],
    ['of an e-mail sign-in', () => unsigned(claims({ firebase: { sign_in_provider: 'password' } }))],
    ['signed', () => sign(claims())],
  ])('%s: refused', async (_name, make) => {
    await expect(emulated().check({ token: await make() })).rejects.toMatchObject(FAILED);
  });
});
