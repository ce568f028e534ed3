import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join as joinPath } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, join, randomId } from '../../test/device.ts';
import { startRelay, temporaryFolder, type TestRelay } from '../../test/harness.ts';

let test: TestRelay;
const folder = temporaryFolder();
const web = joinPath(folder.path, 'web');
beforeAll(async () => {
  mkdirSync(joinPath(web, 'assets'), { recursive: true });
  writeFileSync(joinPath(folder.path, 'secret.txt'), 'beside the folder');
  for (const name of ['index.html', 'sw.js', 'manifest.webmanifest', 'assets/app-x1.js', '.secret']) {
    writeFileSync(joinPath(web, name), `file ${name}`);
  }
  test = await startRelay({ webFolder: web });
});
afterAll(async () => {
  await test.stop();
  folder.remove();
});
const get = (path: string, headers: Record<string, string> = {}) =>
  call(test.relay.port, 'GET', path, { headers });
/** Of a path as it stands: fetch would tidy it up first. */
const rawStatus = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    request({ port: test.relay.port, path }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on('error', reject)
      .end();
  });
const challenge = (body: unknown, headers: Record<string, string> = {}) =>
  call(test.relay.port, 'POST', '/v1/session/challenges', { body, headers });

describe('every documented route answers', () => {
  it.each([
    ['GET', '/v1/relay', 200],
    ['GET', '/healthz', 200],
    ['GET', '/readyz', 200],
    ['GET', '/', 200],
    ['POST', '/v1/accounts', 400],
    ['GET', `/v1/accounts/${randomId(32)}`, 401],
    ['GET', '/v1/handles/somebody', 401],
    ['POST', '/v1/session/challenges', 400],
    ['POST', '/v1/session/tokens', 400],
    ['PUT', `/v1/invites/${randomId(32)}`, 401],
    ['POST', '/v1/invites/check', 400],
    ['DELETE', `/v1/devices/${randomId()}`, 401],
    ['GET', '/v1/nothing', 404],
    ['GET', '/v1', 404],
    ['DELETE', '/v1/relay', 404],
  ])('%s %s with %i', async (method, path, status) => {
    expect((await call(test.relay.port, method, path)).status).toBe(status);
  });
});

describe('origins', () => {
  it('I: foreign and `null` are refused, a missing one and our own are not', async () => {
    const own = `http://localhost:${test.relay.port}`;
    for (const origin of [
      'https://evil.example',
      'null',
      'http://localhost',
      `https://localhost:${test.relay.port}`,
    ]) {
      expect(await get('/v1/relay', { origin })).toMatchObject({
        status: 403,
        body: { code: 'origin-refused' },
      });
    }
    expect((await get('/v1/relay', { origin: own })).status).toBe(200);
    expect((await get('/v1/relay')).status).toBe(200);
  });

  it('with PUBLIC_URL only that one counts, over https HSTS is on', async () => {
    const relay = await startRelay({ publicUrl: 'https://chat.example' });
    const ask = (origin: string) => call(relay.relay.port, 'GET', '/v1/relay', { headers: { origin } });
    const [ours, local] = [
      await ask('https://chat.example'),
      await ask(`http://localhost:${relay.relay.port}`),
    ];
    const link = await relay.relay.createInvite();
    await relay.stop();
    expect([ours.status, local.status]).toEqual([200, 403]);
    expect(ours.headers.get('strict-transport-security')).toContain('max-age');
    expect(ours.headers.get('content-security-policy')).toContain('wss://chat.example');
    expect(link).toMatch(/^https:\/\/chat\.example\/#\/join\//);
  });
});

describe('I: bodies', () => {
  it.each([
    ['malformed JSON', '{', 'bad-request'],
    ['no object', '[]', 'bad-request'],
    ['deep nesting', `{"device":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 'bad-request'],
    ['__proto__', `{"__proto__":{"device":"${randomId()}"}}`, 'bad-request'],
    ['a lone surrogate', '{"device":"\\ud800"}', 'bad-request'],
    ['SQL', `{"device":"' OR 1=1 --"}`, 'bad-request'],
    ['64 KiB and a byte', JSON.stringify({ device: 'x'.repeat(64 * 1024 - 12) }), 'body-too-large'],
  ])('%s', async (_name, text, code) => {
    const { body } = await challenge(text);
    expect(body['code']).toBe(code);
    expect(JSON.stringify(body)).not.toContain('OR 1');
  });

  it('exactly 64 KiB is read', async () => {
    const text = JSON.stringify({ device: 'x'.repeat(64 * 1024 - 13) });
    expect(Buffer.byteLength(text)).toBe(64 * 1024);
    expect((await challenge(text)).body['code']).toBe('bad-request');
  });

  it('compressed, of another type, or with a broken path', async () => {
    const device = randomId();
    expect((await challenge({ device }, { 'content-encoding': 'gzip' })).status).toBe(400);
    expect((await challenge({ device }, { 'content-type': 'text/plain' })).status).toBe(400);
    expect(await get('/v1/handles/%ff')).toMatchObject({ status: 400, body: { code: 'bad-request' } });
  });
});

describe('the web app', () => {
  it('is served with caches that fit its files', async () => {
    const cacheOf = async (path: string) => (await get(path)).headers.get('cache-control');
    expect(await cacheOf('/assets/app-x1.js')).toBe('public, max-age=31536000, immutable');
    for (const path of ['/', '/index.html', '/sw.js', '/manifest.webmanifest'])
      expect(await cacheOf(path)).toBe('no-cache');
    expect((await get('/')).body).toBe('file index.html');
  });

  it('is compressed for whoever takes it', async () => {
    const path = '/assets/app-x1.js';
    const encodingOf = async (accepted: string) => {
      const { status, headers } = await get(path, { 'accept-encoding': accepted });
      expect(status).toBe(200);
      expect(headers.get('vary')).toMatch(/accept-encoding/i);
      expect(headers.get('content-type')).toMatch(/^text\/javascript/);
      expect(headers.get('cache-control')).toContain('immutable');
      return headers.get('content-encoding');
    };
    writeFileSync(joinPath(web, `${path}.br`), brotliCompressSync('file assets/app-x1.js'));
    expect(await encodingOf('gzip, deflate, br')).toBe('br');
    expect((await get(path, { 'accept-encoding': 'br' })).body).toBe('file assets/app-x1.js');
    expect(await encodingOf('gzip')).toBeNull();
    expect(await encodingOf('br;q=0, identity')).toBeNull();
    expect((await get('/sw.js', { 'accept-encoding': 'br' })).headers.get('content-encoding')).toBeNull();
  });

  it('has no other pages, and nothing outside its folder', async () => {
    for (const path of [
      '/chats',
      '/.secret',
      '/assets',
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/assets/..%5c..%5csecret.txt',
      '//../secret.txt',
      '/assets/%00',
    ]) {
      expect(await rawStatus(path), path).toBeGreaterThanOrEqual(400);
    }
    expect(await rawStatus('/index.html')).toBe(200);
  });

  it('A20: runs nothing but its own scripts', async () => {
    const policy = (await get('/')).headers.get('content-security-policy')!;
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "require-trusted-types-for 'script'",
      'trusted-types sotto',
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]) {
      expect(policy.split(';')).toContain(rule);
    }
    expect(policy).not.toMatch(/unsafe|\*/);
  });

  it('says so when it is not built', async () => {
    const relay = await startRelay({ webFolder: joinPath(web, 'none') });
    const { status, body } = await call(relay.relay.port, 'GET', '/');
    await relay.stop();
    expect(status).toBe(503);
    expect(body).toContain('not built');
  });
});

describe('devices', () => {
  it('are removed by their own account alone', async () => {
    const [alice, bob] = [await join(test), await join(test)];
    const remove = (device: string, token: string) =>
      call(test.relay.port, 'DELETE', `/v1/devices/${device}`, { token });
    expect((await remove(alice.device, bob.token)).body).toEqual({ code: 'forbidden' });
    expect((await remove(randomId(), bob.token)).body).toEqual({ code: 'device-unknown' });
    expect((await remove(bob.device, bob.token)).status).toBe(204);
    expect((await remove(bob.device, bob.token)).body).toEqual({ code: 'device-removed' });
    const { body } = await call(test.relay.port, 'GET', `/v1/accounts/${bob.account}`, {
      token: alice.token,
    });
    expect(body['devices']).toEqual([]);
  });
});
