import type { ChainHead, DeviceId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { AccountResponse, type AppendRequest, ChainResponse } from '@sotto/contract/rest/accounts';
import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { type Appended, revokeDevice, setRecoveryKey, verifyChain } from '@sotto/crypto/chain';
import { generateSealingPair, generateSigningKey, type KeyPair } from '@sotto/crypto/keys';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { amidDeadlocks } from '../../test/deadlock.ts';
import {
  addDevice,
  call,
  connect,
  createDevice,
  join,
  idBytesOf,
  proposeSecond,
  randomId,
  signIn,
  type TestDevice,
} from '../../test/device.ts';
import { eventually, startRelay, type TestRelay } from '../../test/harness.ts';
import { UNLIMITED } from '../services/limits.ts';

let test: TestRelay;
let port: number;
let alice: TestDevice;
beforeAll(async () => {
  test = await startRelay();
  port = test.relay.port;
});
afterAll(() => test.stop());
beforeEach(async () => {
  test.clock.ahead = 0;
  alice = await join(test);
});

const DAY = 86_400_000;
const now = () => Date.now() + test.clock.ahead;
const append = (body: AppendRequest, token = alice.token) =>
  call(port, 'POST', '/v1/account/events', { token, body });
const appendAsStranger = (body: AppendRequest, account: string = alice.account) =>
  call(port, 'POST', `/v1/accounts/${account}/events`, { body });
const headOf = (state: { head: Uint8Array }) => toBase64url(new Uint8Array(state.head)) as ChainHead;
/** A request without keys. */
const only = (state: { head: Uint8Array }, { event }: Pick<Appended, 'event'>): AppendRequest => ({
  head: headOf(state),
  event: toBase64url(event),
});
const revoke = (device: DeviceId, author: KeyPair = alice.signing, state = alice.chain) =>
  revokeDevice({ state, author, createdAt: now(), device });
const recovery = async (author: KeyPair = alice.signing, state = alice.chain) => {
  const [signing, sealing] = [await generateSigningKey(), (await generateSealingPair()).publicKey];
  const made = await setRecoveryKey({ state, author, createdAt: now(), recovery: { signing, sealing } });
  return { signing, ...made };
};
/** Appends as alice, who then knows the longer chain. */
const accepted = async (made: Appended, body = only(alice.chain, made)) => {
  expect(await append(body)).toMatchObject({ status: 200, body: { head: headOf(made.state) } });
  alice.chain = made.state;
};
const look = async () =>
  AccountResponse.parse(
    (await call(port, 'GET', `/v1/accounts/${alice.account}`, { token: (await join(test)).token })).body,
  );
/** All that the relay has of alice's account. */
const stored = async () => {
  const id = idBytesOf(alice.account);
  const rows = await Promise.all(
    [
      'SELECT head FROM account WHERE id = $1',
      'SELECT * FROM chain_event WHERE account = $1 ORDER BY index',
      'SELECT * FROM device WHERE account = $1 ORDER BY id',
      `SELECT prekey.* FROM prekey JOIN device ON device.id = prekey.device
       WHERE account = $1 ORDER BY prekey.device, kind, prekey.id`,
    ].map((sql) => test.pool.query(sql, [id])),
  );
  return rows.map((result) => result.rows as object[]);
};

describe('an account chain', () => {
  it('takes a second device with its keys: others see it, and it signs in', async () => {
    const second = await addDevice(port, alice);
    expect(second.token).toBeDefined();
    const { chain, devices } = await look();
    expect(chain).toHaveLength(2);
    expect(devices.map(({ device }) => device).toSorted()).toEqual([alice.device, second.device].toSorted());
    const [account, events] = await stored();
    expect(account).toEqual([{ head: Buffer.from(alice.chain.head) }]);
    expect(events).toMatchObject([{ index: 0 }, { index: 1, day: Math.floor(Date.now() / DAY) }]);
    const bundles = await call(port, 'POST', `/v1/accounts/${alice.account}/bundles`, {
      token: alice.token,
      body: { devices: [second.device] },
    });
    expect(bundles.body).toMatchObject({ bundles: [{ device: second.device, signed: { id: 1 } }] });
  });

  it('F4: the last event again, once or at once, is answered as the first time', async () => {
    const { request, chain } = await proposeSecond(alice, alice.signing);
    const answers = await Promise.all([1, 2, 3, 4].map(() => append(request)));
    const before = await stored();
    answers.push(await append(request), await append({ ...request, head: randomId(32) }));
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 200, body: { head: headOf(chain) } });
    expect(await stored()).toEqual(before);
    expect(before[1]).toHaveLength(2);
  });

  it('F4: many times at once, round after round, is answered alike', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { request, chain } = await proposeSecond(alice, alice.signing);
      const rival = await proposeSecond(alice, alice.signing);
      const [lost, ...answers] = await Promise.all([
        append(request).then(() => append(rival.request)),
        ...Array.from({ length: 8 }, () => append(request)),
      ]);
      expect(lost.body['code']).toBe('stale-head');
      for (const answer of answers) expect(answer.body).toEqual({ head: headOf(chain) });
      alice.chain = chain;
    }
  });

  it('F12: of several events at once on one head exactly one gets in', async () => {
    const rivals = await Promise.all([1, 2, 3, 4, 5].map(() => proposeSecond(alice, alice.signing)));
    const answers = await Promise.all(rivals.map(({ request }) => append(request)));
    expect(answers.map(({ body }) => body['code']).filter(Boolean)).toEqual(Array(4).fill('stale-head'));
    const [account, events, devices] = await stored();
    expect([events!.length, devices!.length]).toEqual([2, 2]);
    const winner = rivals[answers.findIndex(({ status }) => status === 200)]!;
    expect(account).toEqual([{ head: Buffer.from(winner.chain.head) }]);
  });

  const refusals: [string, string, () => Promise<AppendRequest>][] = [
    [
      'A1: a device that no device of the account signed in',
      'chain-invalid',
      async () => {
        const mallory = await createDevice(randomId());
        const { request } = await proposeSecond(mallory, mallory.signing);
        const forged = await proposeSecond(alice, alice.signing);
        const event = fromBase64url(forged.request.event);
        event.set(fromBase64url(request.event).subarray(-128), event.length - 128);
        return { ...forged.request, event: toBase64url(event) };
      },
    ],
    [
      'A1: another account’s event',
      'stale-head',
      async () => {
        const mallory = await createDevice(randomId());
        return (await proposeSecond(mallory, mallory.signing)).request;
      },
    ],
    [
      'A1: another account’s first event',
      'chain-invalid',
      async () => ({
        head: headOf(alice.chain),
        event: (await createDevice(randomId())).registration.event,
      }),
    ],
    [
      'another head than the chain has',
      'stale-head',
      async () => ({ ...(await proposeSecond(alice, alice.signing)).request, head: randomId(32) }),
    ],
    [
      'a fork by a device',
      'stale-head',
      async () => {
        const fork = await proposeSecond(alice, alice.signing);
        await addDevice(port, alice);
        return { ...fork.request, head: headOf(alice.chain) };
      },
    ],
    [
      'an event of the past',
      'stale-head',
      async () => {
        const first = await recovery();
        await accepted(first);
        const next = await proposeSecond(alice, alice.signing);
        expect((await append(next.request)).status).toBe(200);
        return { head: headOf(next.chain), event: toBase64url(first.event) };
      },
    ],
    [
      'a device without keys',
      'bad-request',
      async () => {
        const { request } = await proposeSecond(alice, alice.signing);
        return { head: request.head, event: request.event };
      },
    ],
    [
      'keys without a device',
      'bad-request',
      async () => {
        const { request } = await proposeSecond(alice, alice.signing);
        return { ...only(alice.chain, await recovery()), device: request.device };
      },
    ],
    [
      'A1: the sealing key of another device',
      'sealing-key-invalid',
      async () => {
        const { request } = await proposeSecond(alice, alice.signing);
        const { sealingKey } = alice.registration;
        return { ...request, device: { ...request.device!, sealingKey } };
      },
    ],
    [
      'A1: a prekey of another device',
      'prekey-invalid',
      async () => {
        const { request } = await proposeSecond(alice, alice.signing);
        return { ...request, device: { ...request.device!, signed: alice.registration.signed } };
      },
    ],
    [
      'a device that has another account',
      'chain-invalid',
      async () => {
        const { signing } = await join(test);
        return (await proposeSecond(alice, alice.signing, alice.chain, signing)).request;
      },
    ],
    [
      'I: nonsense',
      'chain-invalid',
      async () => ({ head: headOf(alice.chain), event: toBase64url(new Uint8Array(300)) }),
    ],
  ];
  it.each(refusals)('refuses %s with %s and changes nothing', async (_name, code, make) => {
    const body = await make();
    const before = await stored();
    expect((await append(body)).body['code']).toBe(code);
    expect(await stored()).toEqual(before);
  });

  it('is added to by who is signed in to the account alone', async () => {
    const { request } = await proposeSecond(alice, alice.signing);
    const bob = await join(test);
    expect((await append(request, bob.token)).body['code']).toBe('stale-head');
    expect((await call(port, 'POST', '/v1/account/events', { body: request })).status).toBe(401);
    expect((await append(request)).status).toBe(200);
  });

  it('I: ends at as many devices as an account may have', { timeout: 60_000 }, async () => {
    for (let n = 1; n < LIMITS.devicesPerAccount; n += 1) {
      const { request, chain } = await proposeSecond(alice, alice.signing);
      expect((await append(request)).status).toBe(200);
      alice.chain = chain;
    }
    // Nobody could make the event that is one too many in earnest.
    const spare = { ...alice.chain, devices: alice.chain.devices.slice(0, 1) };
    const { request } = await proposeSecond(alice, alice.signing, spare);
    expect((await append(request)).body['code']).toBe('too-many-devices');
  });

  it('F3: is added to also when a deadlock ends the first try', async () => {
    const second = await addDevice(port, alice);
    const made = await revoke(second.device);
    const answer = await amidDeadlocks(test.pool, { device: second.device, row: 'account', times: 1 }, () =>
      append(only(alice.chain, made)),
    );
    expect(answer).toMatchObject({ status: 200, body: { head: headOf(made.state) } });
    expect((await look()).devices.map(({ device }) => device)).toEqual([alice.device]);
  });

  it('A3: a revoked device is out at once: keys, inbox, token', async () => {
    const second = await addDevice(port, alice);
    const id = idBytesOf(second.device);
    await test.pool.query(
      "INSERT INTO envelope (device, id, at, body) VALUES ($1, decode(repeat('01', 16), 'hex'), 1, '\\x02')",
      [id],
    );
    const { seen } = connect(port, { token: second.token });
    await eventually(() => expect(seen.caughtUp).toHaveLength(1));
    await accepted(await revoke(second.device));
    await eventually(() => expect(seen.disconnects).toEqual(['io server disconnect']));
    expect(seen.problems).toEqual(['device-removed']);
    const refused = await call(port, 'GET', `/v1/accounts/${alice.account}`, { token: second.token });
    expect(refused.body['code']).toBe('device-removed');
    expect((await signIn(port, second)).body['code']).toBe('device-removed');
    expect((await look()).devices.map(({ device }) => device)).toEqual([alice.device]);
    const { rows } = await test.pool.query(
      `SELECT (SELECT count(*) FROM prekey WHERE device = $1)::int AS prekeys,
              (SELECT count(*) FROM envelope WHERE device = $1)::int AS envelopes,
              sealing_public_key AS key FROM device WHERE id = $1`,
      [id],
    );
    expect(rows).toEqual([{ prekeys: 0, envelopes: 0, key: null }]);
    const again = { ...(await proposeSecond(alice, alice.signing)).request };
    expect((await append(again, second.token)).body['code']).toBe('device-removed');
  });
});

describe('the recovery key', () => {
  it('drops the events of a stolen device and the device with them, and rewrites the chain from there', async () => {
    const key = await recovery();
    await accepted(key);
    const before = alice.chain;
    const thief = await addDevice(port, alice);
    const late = await recovery(thief.signing, alice.chain);
    await accepted(late);
    const { seen } = connect(port, { token: thief.token });
    await eventually(() => expect(seen.caughtUp).toHaveLength(1));
    const saved = await proposeSecond(alice, key.signing, before);
    // The head of the recovery's request does not matter: the thief cannot keep it away by adding events.
    expect(await appendAsStranger({ ...saved.request, head: randomId(32) })).toMatchObject({ status: 200 });
    await eventually(() => expect(seen.problems).toEqual(['device-removed']));
    const { chain, devices } = await look();
    expect(chain).toEqual([alice.registration.event, toBase64url(key.event), saved.request.event]);
    expect(devices.map(({ device }) => device).toSorted()).toEqual([alice.device, saved.device].toSorted());
    expect((await signIn(port, thief)).body['code']).toBe('device-removed');
    const refused = await call(port, 'GET', `/v1/accounts/${alice.account}`, { token: thief.token });
    expect(refused.body['code']).toBe('device-removed');
    const [, events] = await stored();
    expect(events).toMatchObject([{ index: 0 }, { index: 1 }, { index: 2 }]);
  });

  it('lets a new device in when all are lost, which then signs in', async () => {
    const key = await recovery();
    await accepted(key);
    const saved = await proposeSecond(alice, key.signing);
    for (const _ of [1, 2]) {
      const answer = await appendAsStranger(saved.request);
      expect(answer).toMatchObject({ status: 200, body: { head: headOf(saved.chain) } });
    }
    const entered = await signIn(port, saved);
    expect(entered.status).toBe(200);
    const token = entered.body['token'] as string;
    const gone = await revoke(alice.device, saved.signing, saved.chain);
    expect((await append(only(saved.chain, gone), token)).status).toBe(200);
    expect((await signIn(port, alice)).body['code']).toBe('device-removed');
  });

  it('lets who has lost every device read the chain, and nobody one that cannot be recovered', async () => {
    const read = (account: string) => call(port, 'GET', `/v1/accounts/${account}/chain`);
    for (const account of [alice.account, randomId(32)]) {
      const { status, body } = await read(account);
      expect([status, body]).toEqual([401, { code: 'unauthenticated' }]);
    }
    const key = await recovery();
    await accepted(key);
    const { status, body } = await read(alice.account);
    expect([status, body]).toEqual([200, { chain: [alice.registration.event, toBase64url(key.event)] }]);
    // What was read is enough to recover by.
    const { chain } = ChainResponse.parse(body);
    const state = await verifyChain(chain.map((event) => fromBase64url(event)));
    const saved = await proposeSecond(alice, key.signing, state);
    expect((await appendAsStranger(saved.request)).status).toBe(200);
  });

  it('I: is read and used without a look at signatures that were verified when they came', async () => {
    const key = await recovery();
    await accepted(key);
    const spoilt = Uint8Array.from(key.event).fill(1, -128);
    const id = idBytesOf(alice.account);
    await test.pool.query('UPDATE chain_event SET event = $2 WHERE account = $1 AND index = 1', [id, spoilt]);
    const read = await call(port, 'GET', `/v1/accounts/${alice.account}/chain`);
    expect([read.status, read.body]).toEqual([
      200,
      { chain: [alice.registration.event, toBase64url(spoilt)] },
    ]);
    const saved = await proposeSecond(alice, key.signing);
    expect((await appendAsStranger(saved.request)).status).toBe(200);
    const next = await revoke(alice.device, saved.signing, saved.chain);
    const { body } = await signIn(port, saved);
    expect((await append(only(saved.chain, next), body['token'] as string)).status).toBe(200);
  });

  it('I: without sign-in nothing else is taken, and the answer does not tell who is there', async () => {
    await accepted(await recovery());
    const byDevice = (await proposeSecond(alice, alice.signing)).request;
    const nonsense = { head: byDevice.head, event: toBase64url(new Uint8Array(300)) };
    const before = await stored();
    for (const account of [alice.account, randomId<never>(32)]) {
      for (const body of [byDevice, nonsense, { ...byDevice, head: randomId<ChainHead>(32) }]) {
        const answer = await appendAsStranger(body, account);
        expect([answer.status, answer.body]).toEqual([401, { code: 'unauthenticated' }]);
      }
    }
    expect(await stored()).toEqual(before);
  });

  it('that a device replaced undoes that for 30 days', async () => {
    const old = await recovery();
    await accepted(old);
    const before = alice.chain;
    const saving = await proposeSecond(alice, old.signing, before);
    await accepted(await recovery());
    test.clock.ahead = 31 * DAY;
    expect((await appendAsStranger(saving.request)).body['code']).toBe('unauthenticated');
    test.clock.ahead = 29 * DAY;
    expect((await appendAsStranger(saving.request)).status).toBe(200);
  });

  it('I: is tried so many times and then no more for a while', async () => {
    const limits = { ...UNLIMITED, recovery: { points: 3, seconds: 3600 } };
    const strict = await startRelay({ limits, trustProxy: 1 });
    const body = (await proposeSecond(alice, alice.signing)).request;
    const attempt = (address: string, account: string = alice.account) =>
      call(strict.relay.port, 'POST', `/v1/accounts/${account}/events`, {
        body,
        headers: { 'x-forwarded-for': address },
      });
    const codes = [];
    for (let i = 0; i < 4; i += 1) codes.push((await attempt('192.0.2.1')).body['code']);
    expect(codes).toEqual([...Array(3).fill('unauthenticated'), 'too-many-requests']);
    expect((await attempt('192.0.2.1')).body['retryAfter']).toBeGreaterThan(3000);
    // Nobody else is kept out by that: not the owner, and not another account's.
    expect((await attempt('192.0.2.2')).body['code']).toBe('unauthenticated');
    expect((await attempt('192.0.2.1', randomId(32))).body['code']).toBe('unauthenticated');
    await strict.stop();
  });

  it('I: is tried and read so many times in all by one address', async () => {
    const limits = { ...UNLIMITED, recoveries: { points: 4, seconds: 3600 } };
    const strict = await startRelay({ limits, trustProxy: 1 });
    const body = (await proposeSecond(alice, alice.signing)).request;
    const ask = async (method: 'GET' | 'POST', address: string) => {
      const path = `/v1/accounts/${randomId(32)}/${method === 'GET' ? 'chain' : 'events'}`;
      const headers = { 'x-forwarded-for': address };
      return (await call(strict.relay.port, method, path, { headers, ...(method === 'POST' && { body }) }))
        .body['code'];
    };
    for (const method of ['GET', 'POST', 'POST', 'GET'] as const)
      expect(await ask(method, '192.0.2.1')).toBe('unauthenticated');
    for (const method of ['GET', 'POST'] as const) {
      expect(await ask(method, '192.0.2.1')).toBe('too-many-requests');
      expect(await ask(method, '192.0.2.2')).toBe('unauthenticated');
    }
    await strict.stop();
  });

  it('I: and devices add so many events and then no more for a while', async () => {
    const strict = await startRelay({ limits: { ...UNLIMITED, events: { points: 2, seconds: 3600 } } });
    const anna = await join(strict);
    await addDevice(strict.relay.port, anna);
    await addDevice(strict.relay.port, anna);
    await expect(addDevice(strict.relay.port, anna)).rejects.toThrow('too-many-requests');
    await strict.stop();
  });
});
