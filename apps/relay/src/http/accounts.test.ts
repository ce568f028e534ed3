import { createHash } from 'node:crypto';
import type { AccountId, Handle } from '@sotto/contract/ids';
import type { RegisterRequest } from '@sotto/contract/rest/accounts';
import { toBase64url } from '@sotto/crypto/bytes';
import { makePrekeys } from '@sotto/crypto/prekeys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
} from '../../test/device.ts';
import { eventually, startRelay, type TestRelay } from '../../test/harness.ts';
import { UNLIMITED } from '../services/limits.ts';

let test: TestRelay;
let port: number;
beforeAll(async () => {
  test = await startRelay();
  port = test.relay.port;
});
afterAll(() => test.stop());

const hashOf = (token: string) => createHash('sha256').update(idBytesOf(token)).digest('base64url');
const remove = (token: string) => call(port, 'DELETE', '/v1/account', { token });

/** Every row of every table as text, by table. */
const dump = async (): Promise<Map<string, string>> => {
  const { rows } = await test.pool.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
  );
  const tables = rows.map(async ({ name }): Promise<[string, string]> => {
    const content = await test.pool.query<{ row: string }>(`SELECT t::text AS row FROM "${name}" AS t`);
    return [name, content.rows.map(({ row }) => row).join('\n')];
  });
  return new Map(await Promise.all(tables));
};

/** The tables that name something, given as text or as base64url of its bytes. */
const tablesWith = (tables: Map<string, string>, needle: string): string[] => {
  const hex = Buffer.from(needle, 'base64url').toString('hex');
  return [...tables].flatMap(([name, text]) => (text.includes(needle) || text.includes(hex) ? [name] : []));
};

describe('PUT /account/delivery', () => {
  it('replaces the token that lets into the inbox', async () => {
    const { account, token } = await join(test);
    const delivery = hashOf(randomId());
    for (const _ of [1, 2]) {
      const path = '/v1/account/delivery';
      expect((await call(port, 'PUT', path, { token, body: { delivery } })).status).toBe(204);
    }
    const { rows } = await test.pool.query<{ delivery: Buffer }>(
      'SELECT delivery FROM account WHERE id = $1',
      [idBytesOf(account)],
    );
    expect(rows.map((row) => toBase64url(new Uint8Array(row.delivery)))).toEqual([delivery]);
  });

  it('I: takes a hash of its owner and nothing else', async () => {
    const { token } = await join(test);
    const put = (body: unknown, by?: string) =>
      call(port, 'PUT', '/v1/account/delivery', { body, ...(by && { token: by }) });
    expect((await put({ delivery: randomId() }, token)).body['code']).toBe('bad-request');
    expect((await put({ delivery: hashOf(randomId()), account: randomId(32) }, token)).status).toBe(400);
    expect((await put({ delivery: hashOf(randomId()) })).body['code']).toBe('unauthenticated');
  });
});

describe('DELETE /account', () => {
  /** An account with two devices, prekeys, envelopes and a place in a channel; and the names of all that. */
  const settle = async (): Promise<{ devices: TestDevice[]; names: Record<string, string> }> => {
    const first = await join(test);
    const second = await addDevice(port, first);
    const { account, device, signing, registration } = first;
    const owner = { account, device, signing: signing.privateKey, firstId: 9, createdAt: Date.now() };
    const [prekey] = (await makePrekeys({ ...owner, kind: 'one-time', count: 1 })).map(wirePrekey);
    const body = { oneTime: [prekey], pqOneTime: [] };
    expect((await call(port, 'PUT', '/v1/prekeys', { token: first.token, body })).status).toBe(200);
    for (const of of [device, second.device]) {
      await test.pool.query(
        `INSERT INTO envelope (device, id, at, body, acked_day) VALUES
         ($1, '\\x01', 1, '\\x02', NULL), ($1, '\\x03', 1, NULL, 20000)`,
        [idBytesOf(of)],
      );
    }
    const channel = idBytesOf(randomId());
    await test.pool.query('INSERT INTO channel (id, epoch) VALUES ($1, 0)', [channel]);
    await test.pool.query('INSERT INTO channel_member (channel, account, admin) VALUES ($1, $2, true)', [
      channel,
      idBytesOf(account),
    ]);
    const names = {
      account,
      handle: registration.handle,
      device,
      'second device': second.device,
      'signing key': toBase64url(signing.publicKey),
      'second signing key': toBase64url(second.signing.publicKey),
      'identity key': toBase64url(first.identity.publicKey),
      'sealing key': registration.sealingKey.publicKey,
      'signed prekey': registration.signed.publicKey,
      'one-time prekey': prekey!.publicKey,
      event: registration.event,
      delivery: registration.delivery,
    };
    return { devices: [first, second], names };
  };

  it('invariant 5: leaves nothing but the places in channels, which their members have signed', async () => {
    const bystander = await join(test);
    const { devices, names } = await settle();
    const before = await dump();
    for (const [name, value] of Object.entries(names)) {
      expect([name, tablesWith(before, value).length]).not.toEqual([name, 0]);
    }
    expect((await remove(devices[1]!.token)).status).toBe(204);
    const after = await dump();
    for (const [name, value] of Object.entries(names)) {
      expect([name, tablesWith(after, value)]).toEqual([name, name === 'account' ? ['channel_member'] : []]);
    }
    expect(tablesWith(after, bystander.device).toSorted()).toEqual(['device', 'prekey']);
  });

  it('ends tokens and sign-ins, and others find nobody', async () => {
    const bob = await join(test);
    const { devices } = await settle();
    const { account, device, registration } = devices[0]!;
    expect((await remove(devices[0]!.token)).status).toBe(204);
    for (const one of devices) {
      expect((await remove(one.token)).body['code']).toBe('unauthenticated');
      expect((await signIn(port, one)).body['code']).toBe('device-unknown');
    }
    for (const path of [`/v1/accounts/${account}`, `/v1/handles/${registration.handle}`]) {
      const answer = await call(port, 'GET', path, { token: bob.token });
      expect([answer.status, answer.body]).toEqual([404, { code: 'account-unknown' }]);
    }
    const path = `/v1/accounts/${account}/bundles`;
    const bundles = await call(port, 'POST', path, { token: bob.token, body: { devices: [device] } });
    expect(bundles.body).toEqual({ bundles: [] });
  });

  it('frees the handle, and its first event registers nothing any more, whoever has it', async () => {
    const { devices, names } = await settle();
    const { account, device, registration, token } = devices[0]!;
    const second = devices[1]!;
    await call(port, 'DELETE', `/v1/devices/${device}`, { token: second.token });
    expect((await remove(second.token)).status).toBe(204);
    const invite = await test.invite();
    const register = (body: RegisterRequest) => call(port, 'POST', '/v1/accounts', { body });
    for (const changes of [{ invite }, { invite, handle: 'somebody_else' as Handle }]) {
      const { status, body } = await register({ ...registration, ...changes });
      expect([status, body]).toEqual([410, { code: 'account-deleted' }]);
    }
    // The handle and the invite are there for somebody new, be it on the same device.
    const heir = await createDevice(invite, { signing: devices[0]!.signing });
    const answer = await register({ ...heir.registration, handle: names['handle'] as Handle });
    expect(answer).toMatchObject({ status: 201, body: { device, handle: names['handle'] } });
    expect(heir.account).not.toBe(account);
    // Whose old token speaks for nobody.
    expect((await call(port, 'GET', `/v1/accounts/${account}`, { token })).body['code']).toBe(
      'unauthenticated',
    );
    const { seen } = connect(port, { token });
    await eventually(() => expect(seen.refusals).toEqual(['unauthenticated']));
    expect((await remove(token)).body['code']).toBe('unauthenticated');
    expect((await signIn(port, heir)).status).toBe(200);
    expect((await register({ ...registration, invite: await test.invite() })).body['code']).toBe(
      'account-deleted',
    );
  });

  it('cuts the sockets of all devices at once', async () => {
    const { devices } = await settle();
    const sockets = devices.map(({ token }) => connect(port, { token }));
    await eventually(() => sockets.forEach(({ seen }) => expect(seen.caughtUp).toHaveLength(1)));
    await remove(devices[0]!.token);
    await eventually(() => {
      for (const { seen } of sockets) expect(seen.disconnects).toEqual(['io server disconnect']);
    });
    for (const { seen } of sockets) expect(seen.problems).toEqual(['device-removed']);
  });

  it('by both devices at once, beside everything else that they do, ends in nothing or all', async () => {
    const { devices } = await settle();
    const [first, second] = devices as [TestDevice, TestDevice];
    const owner = { account: first.account, device: first.device, signing: first.signing.privateKey };
    const made = await makePrekeys({
      ...owner,
      kind: 'one-time',
      firstId: 50,
      count: 5,
      createdAt: Date.now(),
    });
    const prekeys = { oneTime: made.map(wirePrekey), pqOneTime: [] };
    const answers = await Promise.all([
      call(port, 'PUT', '/v1/prekeys', { token: first.token, body: prekeys }),
      remove(first.token),
      remove(second.token),
      call(port, 'DELETE', `/v1/devices/${second.device}`, { token: first.token }),
      addDevice(port, first).catch(() => ({ status: 409 })),
      call(port, 'PUT', '/v1/prekeys', { token: first.token, body: prekeys }),
    ]);
    for (const answer of answers) expect('status' in answer ? answer.status : 200).toBeLessThan(500);
    const after = await dump();
    expect(tablesWith(after, first.device)).toEqual([]);
    expect(tablesWith(after, first.account)).toEqual(['channel_member']);
  });
});

describe('I: who is there', () => {
  it('is asked by members alone, answered alike for all that are not, and not without end', async () => {
    const strict = await startRelay({ limits: { ...UNLIMITED, lookup: { points: 4, seconds: 60 } } });
    const at = strict.relay.port;
    const [anna, bob] = [await join(strict), await join(strict)];
    const paths = [
      '/v1/handles/nobody',
      `/v1/handles/${bob.registration.handle}_`,
      `/v1/accounts/${randomId<AccountId>(32)}`,
    ];
    for (const path of [...paths, `/v1/handles/${bob.registration.handle}`]) {
      expect((await call(at, 'GET', path)).body).toEqual({ code: 'unauthenticated' });
    }
    const second = await addDevice(at, anna);
    for (const path of paths) {
      const { status, body } = await call(at, 'GET', path, { token: anna.token });
      expect([status, body]).toEqual([404, { code: 'account-unknown' }]);
    }
    const found = `/v1/accounts/${bob.account}`;
    expect((await call(at, 'GET', found, { token: second.token })).status).toBe(200);
    for (const path of [found, ...paths]) {
      const { status, body } = await call(at, 'GET', path, { token: second.token });
      expect([status, body['code']]).toEqual([429, 'too-many-requests']);
    }
    expect((await call(at, 'GET', `/v1/accounts/${anna.account}`, { token: bob.token })).status).toBe(200);
    await strict.stop();
  });

  it.each(['%25', "x'%20OR%201=1", 'per%00son', '_person', 'Person_1', 'ｐerson', '..%2F..%2Faccounts'])(
    'is not found out with %s',
    async (name) => {
      const { token } = await join(test);
      const { status, body } = await call(port, 'GET', `/v1/handles/${name}`, { token });
      expect([400, 404]).toContain(status);
      expect(['bad-request', 'not-found']).toContain(body['code']);
    },
  );
});
