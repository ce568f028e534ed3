import { STATUS } from '@sotto/contract/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, connect, envelopeFor, join, randomId } from '../../test/device.ts';
import { eventually, startRelay, type TestRelay } from '../../test/harness.ts';
import { UNLIMITED } from '../services/limits.ts';
import { asyncApi, openApi } from './documents.ts';
import { ROUTES } from './routes.ts';

const METRICS_TOKEN = 'a-token-of-the-host';
let test: TestRelay;
beforeAll(async () => {
  test = await startRelay({ metricsToken: METRICS_TOKEN });
});
afterAll(() => test.stop());
const get = (path: string, headers: Record<string, string> = {}) =>
  call(test.relay.port, 'GET', path, { headers });

describe('documents', () => {
  it('name every route', () => {
    const { paths } = openApi() as { paths: Record<string, object> };
    const named = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    expect(named.toSorted()).toEqual(ROUTES.map(({ method, path }) => `${method} /v1${path}`).toSorted());
  });

  it.each(ROUTES)('$method $path answers', async ({ method, path }) => {
    const parameter = (_: string, kind: string) =>
      kind === 'handle' ? 'somebody' : randomId(['account', 'invite'].includes(kind) ? 32 : 16);
    const at = `/v1${path.replace(/:(\w+)/, parameter)}`;
    const { status, body } = await call(test.relay.port, method.toUpperCase(), at);
    expect(path === '/relay' ? [200] : [400, 401]).toContain(status);
    if (status !== 200) expect(Object.keys(STATUS)).toContain(body['code']);
  });

  it('are valid in form: references lead somewhere, every schema has its dialect’s words alone', async () => {
    for (const [path, made] of [
      ['/openapi.json', openApi()],
      ['/asyncapi.json', asyncApi()],
    ] as const) {
      const { status, body } = await get(path);
      expect(status).toBe(200);
      expect(body).toEqual(JSON.parse(JSON.stringify(made)));
      const text = JSON.stringify(body);
      for (const [, reference] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
        const found = reference!
          .split('/')
          .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], body);
        expect(found, reference).toBeDefined();
      }
    }
    const { openapi, paths } = openApi() as { openapi: string; paths: Record<string, object> };
    expect(openapi).toBe('3.1.0');
    expect(paths['/v1/accounts/{account}/bundles']).toHaveProperty('post.requestBody');
  });

  it('have a page that needs nothing from elsewhere', async () => {
    const page = await get('/docs');
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).not.toMatch(/https?:|\*/);
    expect(policy).toContain("connect-src 'self'");
    const named = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)]
      .map(([, path]) => path!)
      .filter((path) => path !== 'data:,');
    expect(named).toHaveLength(3);
    for (const path of named) {
      expect(path).toMatch(/^\/docs\//);
      expect((await get(path)).status).toBe(200);
    }
    // Nothing of that reaches the app's own pages.
    expect((await get('/')).headers.get('content-security-policy')).toContain('trusted-types sotto');
  });
});

describe('metrics', () => {
  it('are for who shows the token, and off without one', async () => {
    expect((await get('/metrics')).body).toEqual({ code: 'unauthenticated' });
    expect((await get('/metrics', { authorization: `Bearer ${METRICS_TOKEN}x` })).status).toBe(401);
    const off = await startRelay();
    const answer = await call(off.relay.port, 'GET', '/metrics', { headers: { authorization: 'Bearer ' } });
    await off.stop();
    expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });

  it('count what happens and name nobody', async () => {
    const alice = await join(test);
    const line = connect(test.relay.port, { token: alice.token }, { acks: true });
    await eventually(() => expect(line.seen.caughtUp).toHaveLength(1));
    line.socket.emit('send', { envelopes: [envelopeFor(alice.device)] });
    await eventually(() => expect(line.seen.delivered).toHaveLength(1));
    await get('/v1/nothing');
    await eventually(async () => {
      const text = String((await get('/metrics', { authorization: `Bearer ${METRICS_TOKEN}` })).body);
      expect(text).toMatch(/^sotto_connections 1$/m);
      expect(text).toMatch(/^sotto_envelopes_accepted_total 1$/m);
      expect(text).toMatch(/^sotto_envelopes_delivered_total 1$/m);
      expect(text).toMatch(/^sotto_envelopes_acknowledged_total 1$/m);
      expect(text).toMatch(/^sotto_commit_seconds_count 1$/m);
      expect(text).toMatch(/^sotto_refused_total\{code="not-found"\} \d+$/m);
      expect(text).toContain('nodejs_eventloop_lag_seconds');
      for (const secret of [alice.device, alice.account, alice.registration.handle, '127.0.0.1'])
        expect(text).not.toContain(secret);
    });
    line.close();
  });
});

describe('metrics', () => {
  it('count what is fetched over HTTP, and what is refused before it could be stored', async () => {
    const limits = { ...UNLIMITED, send: { points: 2, seconds: 60 } };
    const relay = await startRelay({ metricsToken: METRICS_TOKEN, limits });
    const { port } = relay.relay;
    const alice = await join(relay);
    const send = async (count: number) => {
      const envelopes = Array.from({ length: count }, () => {
        const { body, ...rest } = envelopeFor(alice.device);
        return { ...rest, body: Buffer.from(body).toString('base64url') };
      });
      const answer = { token: alice.token, body: { envelopes, posts: [] } };
      return (await call(port, 'POST', '/v1/envelopes', answer)).body['results'];
    };
    expect(await send(2)).toHaveLength(2);
    expect(await send(3)).toMatchObject(Array.from({ length: 3 }, () => ({ code: 'too-many-requests' })));
    const inbox = await call(port, 'GET', '/v1/inbox', { token: alice.token });
    expect(inbox.body['envelopes']).toHaveLength(2);
    const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
    const text = String((await call(port, 'GET', '/metrics', { headers })).body);
    await relay.stop();
    expect(text).toMatch(/^sotto_envelopes_delivered_total 2$/m);
    expect(text).toMatch(/^sotto_refused_total\{code="too-many-requests"\} 3$/m);
  });
});

describe('limits over HTTP', () => {
  const challenge = (port: number, forwarded?: string) =>
    call(port, 'POST', '/v1/session/challenges', {
      body: { device: randomId() },
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    });
  const limits = { ...UNLIMITED, challenge: { points: 2, seconds: 60 } };

  it('I: answer with Retry-After, and a forged X-Forwarded-For changes nothing', async () => {
    const relay = await startRelay({ limits });
    const { port } = relay.relay;
    const answers = [];
    for (const address of [undefined, '192.0.2.1', '192.0.2.2', undefined])
      answers.push(await challenge(port, address));
    await relay.stop();
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
    const { body, headers } = answers[2]!;
    expect(body).toEqual({ code: 'too-many-requests', retryAfter: expect.any(Number) as number });
    const { retryAfter } = body as { retryAfter: number };
    expect(retryAfter).toBeGreaterThan(40);
    expect(retryAfter).toBeLessThanOrEqual(60);
    expect(headers.get('retry-after')).toBe(String(retryAfter));
  });

  it('of a trusted proxy take the last address that it did not write itself', async () => {
    const relay = await startRelay({ limits, trustProxy: ['127.0.0.1'] });
    const { port } = relay.relay;
    const statuses = [];
    for (const forwarded of [
      '192.0.2.1',
      '1.1.1.1, 192.0.2.1',
      '2.2.2.2, 192.0.2.1',
      '192.0.2.1, 192.0.2.9',
      'nonsense',
    ])
      statuses.push((await challenge(port, forwarded)).status);
    await relay.stop();
    expect(statuses).toEqual([200, 200, 429, 200, 200]);
  });

  it('keeps idle connections longer than a proxy alone', async () => {
    const hints = [];
    for (const trustProxy of [undefined, ['127.0.0.1']]) {
      const relay = await startRelay({ ...(trustProxy && { trustProxy }) });
      hints.push((await call(relay.relay.port, 'GET', '/healthz')).headers.get('keep-alive'));
      await relay.stop();
    }
    expect(hints).toEqual(['timeout=30', 'timeout=125']);
  });

  it('hold for sockets too', async () => {
    const relay = await startRelay({ limits: { ...UNLIMITED, connect: { points: 1, seconds: 60 } } });
    const alice = await join(relay);
    const first = connect(relay.relay.port, { token: alice.token });
    await eventually(() => expect(first.seen.caughtUp).toHaveLength(1));
    const second = connect(relay.relay.port, { token: alice.token });
    await eventually(() => expect(second.seen.refusals).toHaveLength(1));
    first.close();
    second.close();
    await relay.stop();
  });
});

describe('F19: the end', () => {
  it('under load stores what it took in, and answers for it', async () => {
    const relay = await startRelay();
    const [alice, bob] = [await join(relay), await join(relay)];
    const line = connect(relay.relay.port, { token: alice.token });
    await eventually(() => expect(line.seen.caughtUp).toHaveLength(1));
    const sending = setInterval(() => {
      line.socket.emit('send', { envelopes: [envelopeFor(bob.device), envelopeFor(bob.device)] });
    }, 1);
    await eventually(() => expect(line.seen.results.length).toBeGreaterThan(20));
    const closing = relay.relay.close();
    // Asked while it drains, it is not ready; a moment later it is gone.
    const ready = await call(relay.relay.port, 'GET', '/readyz').catch(() => undefined);
    expect([503, undefined]).toContain(ready?.status);
    await closing;
    clearInterval(sending);
    await eventually(() => expect(line.seen.disconnects).toHaveLength(1));
    const accepted = line.seen.results.filter((result) => 'at' in result);
    const refused = line.seen.results.flatMap((result) => ('code' in result ? [result.code] : []));
    expect(refused.filter((code) => code !== 'busy')).toEqual([]);
    const { rows } = await relay.pool.query<{ count: string }>('SELECT count(*) FROM envelope');
    expect(Number(rows[0]!.count)).toBe(accepted.length);
    line.close();
    await relay.stop();
  });
});

describe('I: slow and strange bodies', () => {
  it('a name that stands twice is refused, however it is written', async () => {
    const device = randomId();
    for (const text of [
      `{"device":"${device}","device":"${device}"}`,
      `{"device":"${device}","\\u0064evice":"${device}"}`,
    ]) {
      const { status, body } = await call(test.relay.port, 'POST', '/v1/session/challenges', { body: text });
      expect([status, body]).toEqual([400, { code: 'bad-request' }]);
    }
    const escaped = await call(test.relay.port, 'POST', '/v1/session/challenges', {
      body: `{"\\u0064evice":"${device}"}`,
    });
    expect(escaped.status).toBe(200);
  });

  it('a foreign page may not even ask whether it may', async () => {
    const { status, body } = await call(test.relay.port, 'OPTIONS', '/v1/accounts', {
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect([status, body]).toEqual([403, { code: 'origin-refused' }]);
  });
});
