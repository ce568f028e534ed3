import { randomBytes } from 'node:crypto';
import type { EcPrekey } from '@sotto/contract/keys';
import { LIMITS } from '@sotto/contract/limits';
import { toBase64url } from '@sotto/crypto/bytes';
import type { AccountResponse } from '@sotto/contract/rest/accounts';
import { makePrekeys, type PrekeyKind } from '@sotto/crypto/prekeys';
import { createSealingKey } from '@sotto/crypto/sealing-key';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  addDevice,
  call,
  connect,
  createDevice,
  idBytesOf,
  join,
  randomId,
  signIn,
  type TestDevice,
  wirePrekey,
  wireSealingKey,
} from '../../test/device.ts';
import { eventually, startRelay, type TestRelay } from '../../test/harness.ts';
import { DEFAULT_LIMITS, RateLimits, UNLIMITED } from '../services/limits.ts';

let test: TestRelay;
let port: number;
let alice: TestDevice;
beforeAll(async () => {
  test = await startRelay();
  port = test.relay.port;
});
afterAll(() => test.stop());
beforeEach(async () => {
  alice = await join(test);
});

const DAY = 86_400_000;

const make = async (
  kind: PrekeyKind,
  options: { firstId?: number; count?: number; createdAt?: number } = {},
) => {
  const { account, device, signing } = alice;
  const owner = { account, device, signing: signing.privateKey };
  const { firstId = 100, count = 1, createdAt = Date.now() } = options;
  return (await makePrekeys({ ...owner, kind, firstId, count, createdAt })).map(wirePrekey);
};
const publish = (body: object) =>
  call(port, 'PUT', '/v1/prekeys', { token: alice.token, body: { oneTime: [], pqOneTime: [], ...body } });
const bundles = async () => {
  const body = { devices: [alice.device] };
  const asked = await call(port, 'POST', `/v1/accounts/${alice.account}/bundles`, {
    token: alice.token,
    body,
  });
  return (asked.body as { bundles: { signed: EcPrekey; oneTime?: EcPrekey; pqKind: string; pq: EcPrekey }[] })
    .bundles;
};

describe('prekeys', () => {
  it('come with the account, are added, replaced, counted and given out once', async () => {
    const [first] = await bundles();
    expect(first).toMatchObject({ signed: { id: 1 }, pqKind: 'pq-last-resort', pq: { id: 1 } });
    expect(first!.oneTime).toBeUndefined();
    const [oneTime, pqOneTime] = [await make('one-time', { count: 2 }), await make('pq-one-time')];
    const [signed] = await make('signed');
    expect((await publish({ signed, oneTime, pqOneTime })).body).toEqual({ oneTime: 2, pqOneTime: 1 });
    expect((await publish({ signed, oneTime, pqOneTime })).body).toEqual({ oneTime: 2, pqOneTime: 1 });
    const given = [...(await bundles()), ...(await bundles()), ...(await bundles())];
    expect(given.map((bundle) => bundle.signed.id)).toEqual([100, 100, 100]);
    expect(given.map((bundle) => bundle.oneTime?.id)).toEqual([100, 101, undefined]);
    expect(given.map((bundle) => bundle.pqKind)).toEqual(['pq-one-time', 'pq-last-resort', 'pq-last-resort']);
    expect((await publish({})).body).toEqual({ oneTime: 0, pqOneTime: 0 });
  });

  it('A4: are given to one asker each, however many ask at once', async () => {
    await publish({ oneTime: await make('one-time', { count: 10 }) });
    const given = (await Promise.all(Array.from({ length: 14 }, bundles))).flat();
    const ids = given.flatMap(({ oneTime }) => (oneTime ? [oneTime.id] : []));
    expect(ids.toSorted()).toEqual(Array.from({ length: 10 }, (_, index) => 100 + index));
  });

  const bad: [string, () => Promise<object>][] = [
    ['a signature of another kind', async () => ({ signed: (await make('one-time'))[0] })],
    [
      'a signature of nobody',
      async () => ({
        oneTime: [{ ...(await make('one-time'))[0]!, signature: toBase64url(randomBytes(64)) }],
      }),
    ],
    ['another id than was signed', async () => ({ oneTime: [{ ...(await make('one-time'))[0]!, id: 7 }] })],
    [
      'a key twice',
      async () => {
        const [key] = await make('one-time');
        return { oneTime: [key, key] };
      },
    ],
    ['an id twice', async () => ({ oneTime: [...(await make('one-time')), ...(await make('one-time'))] })],
    [
      'one that ran out',
      async () => ({ oneTime: await make('one-time', { createdAt: Date.now() - 91 * DAY }) }),
    ],
    [
      'one from the future',
      async () => ({ oneTime: await make('one-time', { createdAt: Date.now() + 3 * DAY }) }),
    ],
  ];
  it.each(bad)('I: refuse %s', async (_name, request) => {
    expect((await publish(await request())).body['code']).toBe('prekey-invalid');
    expect((await publish({})).body).toEqual({ oneTime: 0, pqOneTime: 0 });
  });

  it('I: refuse keys of another length, too many at once, and too many in all', async () => {
    const [short] = await make('one-time');
    expect((await publish({ pqOneTime: [short] })).body['code']).toBe('bad-request');
    const many = await make('one-time', { count: LIMITS.prekeysPerRequest + 1 });
    expect((await publish({ oneTime: many })).body['code']).toBe('bad-request');
    for (let added = 0; added < LIMITS.prekeysPerDevice; added += LIMITS.prekeysPerRequest) {
      const oneTime = await make('one-time', { firstId: 100 + added, count: LIMITS.prekeysPerRequest });
      expect((await publish({ oneTime })).status).toBe(200);
    }
    const oneTime = await make('one-time', { firstId: 9000 });
    expect((await publish({ oneTime })).body['code']).toBe('too-many-prekeys');
  });

  it('I: are published by their own device alone, and asked for by members alone', async () => {
    expect((await call(port, 'PUT', '/v1/prekeys', { body: { oneTime: [], pqOneTime: [] } })).status).toBe(
      401,
    );
    const body = { devices: [alice.device] };
    expect((await call(port, 'POST', `/v1/accounts/${alice.account}/bundles`, { body })).status).toBe(401);
    const stranger = await join(test);
    const other = await call(port, 'POST', `/v1/accounts/${stranger.account}/bundles`, {
      body,
      token: alice.token,
    });
    expect(other.body).toEqual({ bundles: [] });
    const nobody = await call(port, 'POST', `/v1/accounts/${randomId(32)}/bundles`, {
      body,
      token: alice.token,
    });
    expect(nobody.body).toEqual({ bundles: [] });
  });

  it('A4: are published so often and then no more for a while; asking how many there are is free', async () => {
    const strict = await startRelay({ limits: { ...UNLIMITED, publish: { points: 2, seconds: 600 } } });
    const at = strict.relay.port;
    const anna = await join(strict);
    const second = await addDevice(at, anna);
    const { signed, sealingKey } = anna.registration;
    const put = async ({ token }: TestDevice, body: object) =>
      (await call(at, 'PUT', '/v1/prekeys', { token, body: { oneTime: [], pqOneTime: [], ...body } })).body[
        'code'
      ];
    expect([await put(anna, { signed }), await put(anna, { sealingKey })]).toEqual([undefined, undefined]);
    for (const body of [{ signed }, { sealingKey }]) expect(await put(anna, body)).toBe('too-many-requests');
    for (let i = 0; i < 3; i += 1) expect(await put(anna, {})).toBeUndefined();
    // Another device's: refused, and counted apart.
    expect(await put(second, { signed })).toBe('prekey-invalid');
    await strict.stop();
  });

  it('go with their device', async () => {
    await publish({ oneTime: await make('one-time') });
    const { account, device, token } = alice;
    await call(port, 'DELETE', `/v1/devices/${device}`, { token });
    alice = await join(test);
    const body = { devices: [device] };
    const asked = await call(port, 'POST', `/v1/accounts/${account}/bundles`, { body, token: alice.token });
    expect(asked.body).toEqual({ bundles: [] });
    const { rows } = await test.pool.query('SELECT count(*)::int AS n FROM prekey WHERE device = $1', [
      Buffer.from(device, 'base64url'),
    ]);
    expect(rows).toEqual([{ n: 0 }]);
  });

  it('go with their device also while it publishes', async () => {
    for (let round = 0; round < 5; round += 1) {
      alice = await join(test);
      const { device, token } = alice;
      const requests = await Promise.all(
        [1, 2, 3].map((n) => make('one-time', { firstId: n * 100, count: 5 })),
      );
      const publishing = requests.map((oneTime) => publish({ oneTime }));
      const removed = call(port, 'DELETE', `/v1/devices/${device}`, { token });
      for (const { status, body } of await Promise.all(publishing)) {
        expect(status === 200 || body['code'] === 'device-removed').toBe(true);
      }
      expect((await removed).status).toBe(204);
      const { rows } = await test.pool.query('SELECT FROM prekey WHERE device = $1', [idBytesOf(device)]);
      expect(rows).toHaveLength(0);
    }
  });

  it('I: registration refuses prekeys that are not the device’s', async () => {
    const [mine, other] = [await createDevice(await test.invite()), await createDevice(await test.invite())];
    for (const field of ['signed', 'lastResort'] as const) {
      const body = { ...mine.registration, [field]: other.registration[field] };
      const answer = await call(port, 'POST', '/v1/accounts', { body });
      expect(answer.body['code']).toBe('prekey-invalid');
    }
  });
});

describe('A4: asking for prekeys', () => {
  const ask = (by: { token: string }, account: string, devices: string[], at = port) =>
    call(at, 'POST', `/v1/accounts/${account}/bundles`, { token: by.token, body: { devices } });

  it('again and again by one account for another is limited; nobody else is', async () => {
    const strict = await startRelay({ limits: { ...UNLIMITED, bundles: DEFAULT_LIMITS.bundles } });
    const at = strict.relay.port;
    const [anna, bob, carol] = [await join(strict), await join(strict), await join(strict)];
    const second = await addDevice(at, bob);
    const codeOf = async (by: { token: string }, of: { account: string; device: string }) =>
      (await ask(by, of.account, [of.device], at)).body['code'];
    for (let i = 0; i < 6; i += 1) expect(await codeOf(i % 2 ? bob : second, anna)).toBeUndefined();
    for (const asker of [bob, second]) {
      const { status, body } = await ask(asker, anna.account, [anna.device], at);
      expect([status, body['code']]).toEqual([429, 'too-many-requests']);
      expect(body['retryAfter']).toBeGreaterThan(0);
      expect(body['retryAfter']).toBeLessThanOrEqual(600);
    }
    // Each device of one's own has as many.
    for (const device of [bob, second]) {
      for (let i = 0; i < 6; i += 1) expect(await codeOf(device, bob)).toBeUndefined();
      expect(await codeOf(device, bob)).toBe('too-many-requests');
    }
    expect(await codeOf(carol, anna)).toBeUndefined();
    expect(await codeOf(bob, carol)).toBeUndefined();
    expect(await codeOf(anna, bob)).toBeUndefined();
    // There is no telling who is there by it.
    const nobody = { account: randomId(32), device: randomId() };
    for (let i = 0; i < 6; i += 1) expect(await codeOf(bob, nobody)).toBeUndefined();
    expect(await codeOf(bob, nobody)).toBe('too-many-requests');
    await strict.stop();
  });

  it('of ever others, there or not, is limited too', async () => {
    const strict = await startRelay({ limits: { ...UNLIMITED, allBundles: { points: 4, seconds: 60 } } });
    const at = strict.relay.port;
    const [bob, carol] = [await join(strict), await join(strict)];
    const pairs = vi.spyOn(RateLimits.prototype, 'takePair');
    const codes = [];
    for (let i = 0; i < 6; i += 1) codes.push((await ask(bob, randomId(32), [randomId()], at)).body['code']);
    expect(codes).toEqual([...Array(4).fill(undefined), ...Array(2).fill('too-many-requests')]);
    // Nothing is counted for those beyond.
    expect(pairs).toHaveBeenCalledTimes(4);
    pairs.mockRestore();
    expect((await ask(carol, randomId(32), [randomId()], at)).status).toBe(200);
    await strict.stop();
  });

  it('finds the last resort of who is drained, and nothing of whether they are there', async () => {
    const [bob, carol] = [await join(test), await join(test)];
    await publish({ oneTime: await make('one-time'), pqOneTime: await make('pq-one-time') });
    expect((await bundles())[0]).toMatchObject({ oneTime: { id: 100 }, pqKind: 'pq-one-time' });
    const answers = [await ask(bob, alice.account, [alice.device])];
    const { socket, seen, close } = connect(port, { token: alice.token });
    await eventually(() => expect(seen.caughtUp).toHaveLength(1));
    answers.push(await ask(carol, alice.account, [alice.device]));
    for (const { status, body } of answers) {
      const { signed, lastResort } = alice.registration;
      const bundle = { device: alice.device, signed, pqKind: 'pq-last-resort', pq: lastResort };
      expect([status, body]).toEqual([200, { bundles: [bundle] }]);
    }
    const headers = answers.map((answer) => [...answer.headers.keys()].filter((name) => name !== 'date'));
    expect(headers[0]).toEqual(headers[1]);
    expect(socket.connected).toBe(true);
    close();
  });

  it('tells a device when few are left, as long as it is told about some', async () => {
    const bob = await join(test);
    const { seen, close } = connect(port, { token: alice.token });
    await eventually(() => expect(seen.caughtUp).toHaveLength(1));
    const more = { firstId: 200, count: 2 };
    await publish({
      oneTime: await make('one-time', { count: 20 }),
      pqOneTime: await make('pq-one-time', { count: 20 }),
    });
    await publish({ oneTime: await make('one-time', more), pqOneTime: await make('pq-one-time', more) });
    await ask(bob, alice.account, [alice.device]);
    await ask(bob, alice.account, [alice.device]);
    await eventually(() => expect(seen.low).toEqual([{ oneTime: 20, pqOneTime: 20 }]));
    close();
  });
});

describe('F4: prekeys that are published again late', () => {
  it('are not given out a second time', async () => {
    const request = { oneTime: await make('one-time', { count: 2 }), pqOneTime: await make('pq-one-time') };
    await publish(request);
    const [first] = await bundles();
    expect((await publish(request)).body).toEqual({ oneTime: 1, pqOneTime: 0 });
    const [second, third] = [(await bundles())[0]!, (await bundles())[0]!];
    expect([first, second, third].map((bundle) => bundle!.oneTime?.id)).toEqual([100, 101, undefined]);
    expect(second.pqKind).toBe('pq-last-resort');
    // Nor is anything kept for ever, or left of the key itself.
    const kept = () =>
      test.pool.query('SELECT public_key FROM prekey WHERE kind IN (2, 4) AND device = $1', [id]);
    const id = idBytesOf(alice.device);
    expect((await kept()).rows).toEqual(Array(3).fill({ public_key: Buffer.alloc(0) }));
    test.clock.ahead = 91 * DAY;
    const { token } = (await signIn(port, alice)).body as { token: string };
    const oneTime = await make('one-time', { firstId: 500, createdAt: Date.now() + test.clock.ahead });
    const later = await call(port, 'PUT', '/v1/prekeys', { token, body: { oneTime, pqOneTime: [] } });
    test.clock.ahead = 0;
    expect(later.body).toEqual({ oneTime: 1, pqOneTime: 0 });
    expect((await kept()).rows).toHaveLength(1);
  });

  it('do not bring an old signed prekey back', async () => {
    const [old, fresh] = [await make('signed', { firstId: 5 }), await make('signed', { firstId: 6 })];
    for (const [signed] of [old, fresh, old]) expect((await publish({ signed })).status).toBe(200);
    expect((await bundles())[0]!.signed.id).toBe(6);
  });

  it('I: under another key are refused, with all that came along', async () => {
    await publish({ oneTime: await make('one-time') });
    const body = { oneTime: await make('one-time', { count: 3 }), signed: (await make('signed'))[0] };
    expect((await publish(body)).body['code']).toBe('prekey-invalid');
    expect((await publish({})).body).toEqual({ oneTime: 1, pqOneTime: 0 });
    expect((await bundles())[0]!.signed.id).toBe(1);
  });

  it('I: too many at once by several requests are refused', async () => {
    const most = LIMITS.prekeysPerDevice / LIMITS.prekeysPerRequest;
    const rounds = Array.from({ length: most + 3 }, (_, i) =>
      make('one-time', { firstId: 1000 + i * 100, count: LIMITS.prekeysPerRequest }),
    );
    const requests = await Promise.all(rounds);
    const answers = await Promise.all(requests.map((oneTime) => publish({ oneTime })));
    const codes = answers.map(({ body }) => body['code']).filter(Boolean);
    expect(codes).toEqual(Array(3).fill('too-many-prekeys'));
    expect((await publish({})).body).toEqual({ oneTime: LIMITS.prekeysPerDevice, pqOneTime: 0 });
  });
});

describe('a sealing key', () => {
  const sealing = async (id: number, createdAt: number, of: TestDevice = alice) => {
    const { account, device, signing } = of;
    return wireSealingKey(
      await createSealingKey({ account, device, signing: signing.privateKey, id, createdAt }),
    );
  };
  const current = async () => {
    const { body } = await call(port, 'GET', `/v1/accounts/${alice.account}`, { token: alice.token });
    return (body as unknown as AccountResponse).devices[0]!.sealingKey;
  };

  it('takes the place of an older one, and may be repeated', async () => {
    const { createdAt } = alice.registration.sealingKey;
    const sealingKey = await sealing(2, createdAt + 1);
    for (const _ of [1, 2]) expect((await publish({ sealingKey })).status).toBe(200);
    expect(await current()).toEqual(sealingKey);
    expect((await publish({ sealingKey: alice.registration.sealingKey })).body['code']).toBe(
      'sealing-key-invalid',
    );
    expect(await current()).toEqual(sealingKey);
  });

  const bad: [string, (at: number) => Promise<object>][] = [
    ['an id that is not higher', (at) => sealing(1, at + 1)],
    ['the same id and time, another key', (at) => sealing(1, at)],
    ['another device’s signature', async (at) => sealing(2, at + 1, await join(test))],
    ['another id than was signed', async (at) => ({ ...(await sealing(2, at + 1)), id: 3 })],
    [
      'A6: no point',
      async (at) => ({
        ...(await sealing(2, at + 1)),
        publicKey: toBase64url(new Uint8Array(65).fill(4)),
      }),
    ],
  ];
  it.each(bad)('I: of %s is refused, and the prekeys with it', async (_name, make_) => {
    const before = alice.registration.sealingKey;
    const body = { sealingKey: await make_(before.createdAt), oneTime: await make('one-time') };
    expect((await publish(body)).body['code']).toBe('sealing-key-invalid');
    expect(await current()).toEqual(before);
    expect((await publish({})).body).toEqual({ oneTime: 0, pqOneTime: 0 });
  });
});
