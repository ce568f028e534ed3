import { randomBytes } from 'node:crypto';
import type { EcPrekey } from '@sotto/contract/keys';
import { LIMITS } from '@sotto/contract/limits';
import { toBase64url } from '@sotto/crypto/bytes';
import { makePrekeys, type PrekeyKind } from '@sotto/crypto/prekeys';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call, createDevice, join, randomId, type TestDevice, wirePrekey } from '../../test/device.ts';
import { startRelay, type TestRelay } from '../../test/harness.ts';

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

  it('I: registration refuses prekeys that are not the device’s', async () => {
    const [mine, other] = [await createDevice(await test.invite()), await createDevice(await test.invite())];
    for (const field of ['signed', 'lastResort'] as const) {
      const body = { ...mine.registration, [field]: other.registration[field] };
      const answer = await call(port, 'POST', '/v1/accounts', { body });
      expect(answer.body['code']).toBe('prekey-invalid');
    }
  });
});
