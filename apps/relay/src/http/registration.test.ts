import { createHash } from 'node:crypto';
import { AccountResponse } from '@sotto/contract/rest/accounts';
import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, createDevice, join, randomId, type TestKeys } from '../../test/device.ts';
import { startRelay, type TestRelay } from '../../test/harness.ts';
import { UNLIMITED } from '../services/limits.ts';

let test: TestRelay;
beforeAll(async () => void (test = await startRelay()));
afterAll(() => test.stop());

const register = (body: unknown) => call(test.relay.port, 'POST', '/v1/accounts', { body });
const counts = async () => {
  const { rows } = await test.pool.query(
    'SELECT (SELECT count(*) FROM account) AS accounts, (SELECT count(*) FROM invite WHERE used) AS used',
  );
  return rows[0] as { accounts: string; used: string };
};
const flipped = (text: string): string => {
  const bytes = fromBase64url(text);
  bytes[bytes.length - 5]! ^= 1;
  return toBase64url(bytes);
};

describe('registration', () => {
  it('makes an account that others find by handle and by id', async () => {
    const alice = await join(test);
    const bob = await join(test);
    for (const path of [`/v1/handles/${alice.registration.handle}`, `/v1/accounts/${alice.account}`]) {
      const { status, body } = await call(test.relay.port, 'GET', path, { token: bob.token });
      expect(status).toBe(200);
      expect(AccountResponse.parse(body)).toEqual({
        account: alice.account,
        handle: alice.registration.handle,
        chain: [alice.registration.event],
        devices: [{ device: alice.device, sealingKey: alice.registration.sealingKey }],
      });
    }
    const nobody = await call(test.relay.port, 'GET', '/v1/handles/nobody', { token: bob.token });
    expect(nobody).toMatchObject({ status: 404, body: { code: 'account-unknown' } });
  });

  it('F4: the same request again is answered as the first time and uses no second invite', async () => {
    const keys = await createDevice(await test.invite());
    const first = await register(keys.registration);
    const before = await counts();
    for (const invite of [keys.registration.invite, await test.invite(), undefined]) {
      const again = await register({ ...keys.registration, invite });
      expect([first.status, again.status]).toEqual([201, 201]);
      expect(again.body).toEqual(first.body);
    }
    expect(await counts()).toEqual(before);
  });

  it('F4: the same request twice at once makes one account', async () => {
    const keys = await createDevice(await test.invite());
    const answers = await Promise.all([1, 2, 3, 4].map(() => register(keys.registration)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const { rows } = await test.pool.query('SELECT 1 FROM account WHERE handle = $1', [
      keys.registration.handle,
    ]);
    expect(rows).toHaveLength(1);
  });

  it('two people with one invite at once: one gets in', async () => {
    const invite = await test.invite();
    const people = await Promise.all([createDevice(invite), createDevice(invite), createDevice(invite)]);
    const answers = await Promise.all(people.map(({ registration }) => register(registration)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403]);
    expect(answers.filter(({ body }) => body['code'] === 'invite-used')).toHaveLength(2);
  });

  it('two people with one handle at once: one gets it, the other keeps the invite', async () => {
    const [one, two] = [await createDevice(await test.invite()), await createDevice(await test.invite())];
    const answers = await Promise.all([
      register(one.registration),
      register({ ...two.registration, handle: one.registration.handle }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    const loser = answers[0]!.status === 409 ? one : two;
    const retry = await register({ ...loser.registration, handle: `${two.registration.handle}_b` });
    expect(retry.status).toBe(201);
  });

  const refusals: [string, string, (keys: TestKeys) => object | Promise<object>][] = [
    ['an unknown invite', 'invite-unknown', () => ({ invite: randomId() })],
    [
      'a used invite',
      'invite-used',
      async () => {
        const other = await createDevice(await test.invite());
        await register(other.registration);
        return { invite: other.registration.invite };
      },
    ],
    ['a taken handle', 'handle-taken', async () => ({ handle: (await join(test)).registration.handle })],
    ['A1: a changed chain', 'chain-invalid', ({ registration }) => ({ event: flipped(registration.event) })],
    ['A1: no chain at all', 'chain-invalid', () => ({ event: randomId(200) })],
    [
      'A1: a swapped sealing key',
      'sealing-key-invalid',
      async () => ({ sealingKey: (await createDevice(randomId())).registration.sealingKey }),
    ],
    [
      'A6: a sealing key that is not a point',
      'sealing-key-invalid',
      ({ registration }) => ({
        sealingKey: { ...registration.sealingKey, publicKey: toBase64url(new Uint8Array(65).fill(4)) },
      }),
    ],
    ['I: an upper-case handle', 'bad-request', () => ({ handle: 'Person' })],
    ['I: a field too many', 'bad-request', () => ({ more: 1 })],
    ['I: base64 that is not canonical', 'bad-request', () => ({ invite: 'AAAAAAAAAAAAAAAAAAAAAB' })],
  ];
  it.each(refusals)('refuses %s with %s and changes nothing', async (_name, code, change) => {
    const keys = await createDevice(await test.invite());
    const changes = await change(keys);
    const before = await counts();
    const { body } = await register({ ...keys.registration, ...changes });
    expect(body['code']).toBe(code);
    expect(await counts()).toEqual(before);
  });

  it('I: refuses handles that look like another’s or like the host’s, and keeps the invite', async () => {
    const keys = await createDevice(await test.invite());
    const anna = { ...(await createDevice(await test.invite())).registration, handle: 'anna_maria1' };
    expect((await register(anna)).status).toBe(201);
    for (const handle of ['anna_rnaria1', 'annamarial', 'anna_maria_1', 'adrnin', 's0tto']) {
      const { status, body } = await register({ ...keys.registration, handle });
      expect([handle, status, body['code']]).toEqual([handle, 409, 'handle-taken']);
    }
    expect((await register({ ...keys.registration, handle: 'anna_marie1' })).status).toBe(201);
  });

  it('keeps the head and the hash of the token', async () => {
    const { account, registration } = await join(test);
    const { rows } = await test.pool.query('SELECT head, delivery FROM account WHERE id = $1', [
      fromBase64url(account),
    ]);
    expect(rows.map((row: { head: Buffer; delivery: Buffer }) => toBase64url(row.head))).toEqual([account]);
    expect(toBase64url((rows[0] as { delivery: Buffer }).delivery)).toBe(registration.delivery);
  });

  it('A1: refuses a device that has an account', async () => {
    const { signing } = await join(test);
    const { registration } = await createDevice(await test.invite(), { signing });
    expect((await register(registration)).body['code']).toBe('chain-invalid');
  });

  it('demands an invite unless everybody may come', async () => {
    const { invite: _, ...registration } = (await createDevice(await test.invite())).registration;
    const refused = await register(registration);
    expect([refused.status, refused.body['code']]).toEqual([403, 'verification-required']);
    const open = await startRelay({ registration: { invite: false, email: false, phone: false } });
    const at = (body: object) => call(open.relay.port, 'POST', '/v1/accounts', { body });
    expect((await at(registration)).status).toBe(201);
    // Nobody looks at an invite where none is needed.
    const other = await createDevice(randomId());
    expect((await at(other.registration)).status).toBe(201);
    await open.stop();
  });

  it('refuses an expired invite', async () => {
    const keys = await createDevice(await test.invite());
    test.clock.ahead = 8 * 24 * 60 * 60 * 1000;
    const { body } = await register(keys.registration);
    const checked = await call(test.relay.port, 'POST', '/v1/invites/check', {
      body: { invite: keys.registration.invite },
    });
    test.clock.ahead = 0;
    expect(body['code']).toBe('invite-expired');
    expect(checked.body).toEqual({ state: 'expired' });
  });
});

describe('invites', () => {
  const idOf = (secret: string) => createHash('sha256').update(fromBase64url(secret)).digest('base64url');
  const check = async (invite: string) =>
    (await call(test.relay.port, 'POST', '/v1/invites/check', { body: { invite } })).body['state'];

  it('are made by members, once however often asked, and not again after use', async () => {
    const { token } = await join(test);
    const secret = randomId<never>();
    const put = () => call(test.relay.port, 'PUT', `/v1/invites/${idOf(secret)}`, { token });
    expect(await check(secret)).toBe('unknown');
    const first = await put();
    expect(first.status).toBe(200);
    expect((await put()).body).toEqual(first.body);
    expect(await check(secret)).toBe('open');
    await register((await createDevice(secret)).registration);
    expect(await check(secret)).toBe('used');
    expect((await put()).body).toEqual({ code: 'invite-exists' });
  });

  it('I: are made so many of in an hour by an account', async () => {
    const strict = await startRelay({ limits: { ...UNLIMITED, invites: { points: 2, seconds: 3600 } } });
    const { token } = await join(strict);
    const codes = [];
    for (let n = 0; n < 3; n += 1)
      codes.push((await call(strict.relay.port, 'PUT', `/v1/invites/${idOf(randomId())}`, { token })).status);
    await strict.stop();
    expect(codes).toEqual([200, 200, 429]);
  });

  it('are made by the host alone where it is so configured', async () => {
    const host = await startRelay({ invites: 'host' });
    const { token } = await join(host);
    const path = `/v1/invites/${idOf(randomId())}`;
    const { status, body } = await call(host.relay.port, 'PUT', path, { token });
    expect([status, body]).toEqual([403, { code: 'forbidden' }]);
    expect((await call(host.relay.port, 'PUT', path)).body).toEqual({ code: 'unauthenticated' });
    await host.stop();
  });

  it('are not made by strangers', async () => {
    const { status, body } = await call(test.relay.port, 'PUT', `/v1/invites/${idOf(randomId())}`);
    expect([status, body]).toEqual([401, { code: 'unauthenticated' }]);
  });

  it('invariant 5: leave no trace of who made or used them, by name or by time', async () => {
    const { rows: moments } = await test.pool.query<{ at: Date }>(
      'SELECT expires_at AS at FROM invite UNION ALL SELECT created_at FROM account UNION ALL SELECT created_at FROM device',
    );
    expect(moments.length).toBeGreaterThan(3);
    expect(moments.filter(({ at }) => at.getTime() % 86_400_000 !== 0)).toEqual([]);
    const { rows } = await test.pool.query(
      "SELECT column_name FROM information_schema.columns WHERE table_name = 'invite' ORDER BY 1",
    );
    expect(rows.map((row: { column_name: string }) => row.column_name)).toEqual(['expires_at', 'id', 'used']);
  });
});
