import type { TokenResponse } from '@sotto/contract/rest/session';
import * as jose from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, createDevice, join, randomId, signIn, type TestDevice } from '../../test/device.ts';
import { startRelay, type TestRelay } from '../../test/harness.ts';

let test: TestRelay;
let alice: TestDevice;
let port: number;
beforeAll(async () => {
  test = await startRelay();
  port = test.relay.port;
  alice = await join(test);
});
afterAll(() => test.stop());

const challengeFor = async (device: string) =>
  (await call(port, 'POST', '/v1/session/challenges', { body: { device } })).body as {
    challenge: string;
    expiresAt: number;
  };
const whoAsks = async (token: string) =>
  (await call(port, 'GET', `/v1/accounts/${alice.account}`, { token })).body['code'] ?? 'ok';

describe('sign-in', () => {
  it('gives a token of fifteen minutes for a signed challenge', async () => {
    const { status, body } = await signIn(port, alice);
    const { token, expiresAt, expiresIn } = body as unknown as TokenResponse;
    expect(status).toBe(200);
    expect(expiresAt).toBeGreaterThan(Date.now() + 14 * 60_000);
    expect(expiresIn).toBeGreaterThan(14 * 60_000);
    expect(expiresIn).toBeLessThanOrEqual(15 * 60_000 + 1000);
    expect(await whoAsks(token)).toBe('ok');
  });

  it('accepts both names of this machine, and no other relay’s', async () => {
    expect((await signIn(port, alice, { origin: `http://127.0.0.1:${port}` })).status).toBe(200);
    for (const origin of [
      'https://other.example',
      `https://localhost:${port}`,
      'null',
      `http://localhost:${port}/`,
    ]) {
      expect((await signIn(port, alice, { origin })).body).toEqual({ code: 'origin-refused' });
    }
  });

  it('A8: refuses a signature over another origin than the one named', async () => {
    const { challenge } = await challengeFor(alice.device);
    const [localhost, loopback] = [`http://localhost:${port}`, `http://127.0.0.1:${port}`];
    const { signSignIn } = await import('@sotto/crypto/sign-in');
    const signature = Buffer.from(
      await signSignIn(alice.signing.privateKey, { origin: localhost, device: alice.device, challenge }),
    ).toString('base64url');
    const answer = (origin: string) =>
      call(port, 'POST', '/v1/session/tokens', {
        body: { device: alice.device, challenge, origin, signature },
      });
    expect((await answer(localhost)).status).toBe(200);
    expect((await answer(loopback)).body).toEqual({ code: 'signature-invalid' });
  });

  it('answers a challenge alike for devices that do not exist', async () => {
    const [real, none] = [await challengeFor(alice.device), await challengeFor(randomId())];
    expect(Object.keys(none)).toEqual(Object.keys(real));
    expect(none.challenge.length).toBe(real.challenge.length);
    const stranger = await createDevice(randomId());
    expect((await signIn(port, stranger)).body).toEqual({ code: 'device-unknown' });
  });

  it('refuses another’s signature and another’s challenge', async () => {
    const bob = await join(test);
    expect((await signIn(port, { device: alice.device, signing: bob.signing })).body).toEqual({
      code: 'signature-invalid',
    });
    const { challenge } = await challengeFor(bob.device);
    expect((await signIn(port, alice, { challenge })).body).toEqual({ code: 'signature-invalid' });
  });

  it('refuses an expired challenge, and F9: takes it again when the clock steps back', async () => {
    const { challenge } = await challengeFor(alice.device);
    test.clock.ahead = 62_000;
    const late = await signIn(port, alice, { challenge });
    test.clock.ahead = 0;
    expect(late.body).toEqual({ code: 'challenge-expired' });
    expect((await signIn(port, alice, { challenge })).status).toBe(200);
  });

  it('refuses an expired token', async () => {
    test.clock.ahead = 16 * 60_000;
    const answer = await whoAsks(alice.token);
    test.clock.ahead = 0;
    expect(answer).toBe('token-expired');
  });
});

describe('what takes the short way', () => {
  /** The short way, and by express, to which a charset is unusual. */
  const ask = (type: string, path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}/v1/session/${path}`, {
      method: 'POST',
      headers: { 'content-type': type, ...headers },
      body,
    });
  const device = (): string => JSON.stringify({ device: alice.device });

  it.each<[string, string, () => string, Record<string, string>]>([
    ['a challenge', 'challenges', device, {}],
    ['nothing', 'challenges', () => '', {}],
    ['no JSON', 'challenges', () => '{"device":', {}],
    ['a name that stands twice', 'challenges', () => `{"device":1,${device().slice(1)}`, {}],
    ['another name', 'challenges', () => '{"devices":1}', {}],
    ['too much', 'tokens', () => JSON.stringify({ device: 'x'.repeat(1024 * 1024) }), {}],
    ['a foreign page', 'challenges', device, { origin: 'https://other.example' }],
    ['a page without an origin', 'challenges', device, { origin: 'null' }],
  ])('is answered as by express, head and body: %s', async (_name, path, body, headers) => {
    const [short, long] = await Promise.all(
      ['application/json', 'application/json; charset=utf-8'].map(async (type) => {
        const answer = await ask(type, path, body(), headers);
        const head = Object.fromEntries(answer.headers);
        delete head['date'];
        // Each challenge is another one.
        const { challenge, expiresAt, detail, ...problem } = (await answer.json()) as Record<string, unknown>;
        void [expiresAt, detail];
        delete head['content-length'];
        return { status: answer.status, head, problem, is: typeof challenge };
      }),
    );
    expect(short).toEqual(long);
  });
});

describe('tokens that are not the relay’s', () => {
  const forge = async (changes: { header?: object; claims?: object; key?: 'own' }) => {
    const { rows } = await test.pool.query('SELECT kid, jwk FROM token_key');
    const { kid, jwk } = rows[0] as { kid: string; jwk: jose.JWK };
    const key =
      changes.key === 'own'
        ? (await jose.generateKeyPair('ES256')).privateKey
        : await jose.importJWK(jwk, 'ES256');
    return new jose.SignJWT({
      iss: 'sotto',
      aud: 'sotto/access',
      sub: alice.device,
      account: alice.account,
      exp: Math.floor(Date.now() / 1000) + 60,
      ...changes.claims,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid, ...changes.header })
      .sign(key);
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

  it('the forge itself makes good ones', async () => {
    expect(await whoAsks(await forge({}))).toBe('ok');
  });

  it.each([
    ['another key', { key: 'own' as const }],
    ['an unknown kid', { header: { kid: 'x' } }],
    ['a kid that is a path', { header: { kid: '../../token_key' } }],
    ['no kid', { header: { kid: undefined } }],
    ['another type', { header: { typ: 'JWT' } }],
    ['a challenge’s type', { header: { typ: 'challenge+jwt' } }],
    ['another audience', { claims: { aud: 'sotto/challenge' } }],
    ['another issuer', { claims: { iss: 'other' } }],
    ['no expiry', { claims: { exp: undefined } }],
    ['no device', { claims: { sub: undefined } }],
    ['a device that is no id', { claims: { sub: "' OR 1=1" } }],
    ['a device that does not exist', { claims: { sub: 'AAAAAAAAAAAAAAAAAAAAAA' } }],
  ])('I: %s', async (_name, changes) => {
    expect(await whoAsks(await forge(changes as Parameters<typeof forge>[0]))).toBe('unauthenticated');
  });

  it('I: algorithms `none` and HS256 with the public key, a challenge, and noise', async () => {
    const [header, claims] = (await forge({})).split('.') as [string, string];
    const { kid } = jose.decodeProtectedHeader(`${header}.${claims}.`) as { kid: string };
    const { rows } = await test.pool.query('SELECT jwk FROM token_key');
    const { d: _, ...half } = (rows[0] as { jwk: jose.JWK }).jwk;
    const hmac = await new jose.SignJWT(jose.decodeJwt(`${header}.${claims}.`))
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid })
      .sign(new TextEncoder().encode(JSON.stringify(half)));
    const { challenge } = await challengeFor(alice.device);
    const none = `${part({ alg: 'none', typ: 'at+jwt', kid })}.${claims}.`;
    for (const token of [none, hmac, challenge, `${header}.${claims}.`, 'a.b.c', '..', 'x'.repeat(4000)]) {
      expect(await whoAsks(token)).toBe('unauthenticated');
    }
  });

  it('an access token is no challenge', async () => {
    expect((await signIn(port, alice, { challenge: alice.token })).body).toEqual({
      code: 'signature-invalid',
    });
  });
});

describe('keys of tokens', () => {
  it('change after 30 days; what the old one signed is good until it expires', async () => {
    const DAY = 24 * 60 * 60_000;
    test.clock.ahead = 30 * DAY - 60_000;
    const before = (await signIn(port, alice)).body as unknown as TokenResponse;
    test.clock.ahead = 30 * DAY + 60_000;
    const after = (await signIn(port, alice)).body as unknown as TokenResponse;
    const answers = [await whoAsks(before.token), await whoAsks(after.token)];
    test.clock.ahead = 0;
    expect(jose.decodeProtectedHeader(before.token).kid).not.toBe(
      jose.decodeProtectedHeader(after.token).kid,
    );
    expect(answers).toEqual(['ok', 'ok']);
  });
});
