import { createHash } from 'node:crypto';
import { toBase64url } from '@sotto/crypto/bytes';
import { setRecoveryKey } from '@sotto/crypto/chain';
import { generateSealingPair, generateSigningKey } from '@sotto/crypto/keys';
import { makePrekeys } from '@sotto/crypto/prekeys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addDevice,
  call,
  createDevice,
  idBytesOf,
  join,
  proposeSecond,
  randomId,
  type TestDevice,
  wirePrekey,
} from '../../test/device.ts';
import { startRelay, type TestRelay } from '../../test/harness.ts';

let test: TestRelay;
let port: number;
beforeAll(async () => {
  test = await startRelay();
  port = test.relay.port;
});
afterAll(() => test.stop());

type Ask = () => ReturnType<typeof call>;

const publisher = async ({ account, device, signing, token }: TestDevice): Promise<Ask> => {
  const owner = { account, device, signing: signing.privateKey, firstId: 50, createdAt: Date.now() };
  const oneTime = (await makePrekeys({ ...owner, kind: 'one-time', count: 1 })).map(wirePrekey);
  return () => call(port, 'PUT', '/v1/prekeys', { token, body: { oneTime, pqOneTime: [] } });
};

const deliverer = async ({ token }: TestDevice): Promise<Ask> => {
  const delivery = createHash('sha256').update(idBytesOf(randomId())).digest('base64url');
  return () => call(port, 'PUT', '/v1/account/delivery', { token, body: { delivery } });
};

const recoverer = async (alice: TestDevice): Promise<Ask> => {
  const [signing, sealing] = [await generateSigningKey(), (await generateSealingPair()).publicKey];
  const key = await setRecoveryKey({
    state: alice.chain,
    author: alice.signing,
    createdAt: Date.now(),
    recovery: { signing, sealing },
  });
  const body = { head: toBase64url(alice.chain.head), event: toBase64url(key.event) };
  const set = await call(port, 'POST', '/v1/account/events', { token: alice.token, body });
  expect(set.status).toBe(200);
  const { request } = await proposeSecond(alice, signing, key.state);
  return () => call(port, 'POST', `/v1/accounts/${alice.account}/events`, { body: request });
};

/** What waits for a row that somebody holds, as often as one likes. */
const FLOODS: [string, (alice: TestDevice) => Promise<Ask>][] = [
  ['prekeys are published', publisher],
  ['a delivery token is changed', deliverer],
  [
    'an event is added',
    async (alice) => {
      const { request } = await proposeSecond(alice, alice.signing);
      return () => call(port, 'POST', '/v1/account/events', { token: alice.token, body: request });
    },
  ],
  ['an account is recovered', recoverer],
  [
    'a device is removed',
    async (alice) => {
      const { device } = await addDevice(port, alice);
      return () => call(port, 'DELETE', `/v1/devices/${device}`, { token: alice.token });
    },
  ],
  [
    'an account is deleted',
    async ({ token }) =>
      () =>
        call(port, 'DELETE', '/v1/account', { token }),
  ],
  [
    'somebody registers',
    async () => {
      const invite = await test.invite();
      const body = (await createDevice(invite)).registration;
      return () => call(port, 'POST', '/v1/accounts', { body });
    },
  ],
];

describe('F3: a pile-up behind one row', () => {
  it.each(FLOODS)(
    'leaves room for others: %s, 500 times at once',
    { timeout: 60_000 },
    async (_what, made) => {
      const [alice, bob] = [await join(test), await join(test)];
      const ask = await made(alice);
      const others = [await publisher(bob), await deliverer(bob)];
      const held = await test.pool.connect();
      await held.query(
        'BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SELECT FROM invite FOR UPDATE',
      );
      for (const sql of ['account WHERE id = $1', 'device WHERE account = $1'])
        await held.query(`SELECT FROM ${sql} FOR UPDATE`, [idBytesOf(alice.account)]);
      const answers = Array.from({ length: 500 }, ask);
      // What none of them waits for says so at once: those beyond are not left hanging.
      const refused = await Promise.any(answers.map((answer) => answer.then(refusedOf)));
      const during = await Promise.all([
        ...others.map((other) => other()),
        call(port, 'GET', `/v1/accounts/${alice.account}`, { token: bob.token }),
      ]);
      await held.query('COMMIT');
      held.release();
      expect(refused).toBe('busy');
      for (const { status } of during) expect(status).toBeLessThan(300);
      const codes = (await Promise.all(answers)).map(({ body }) => body['code'] ?? 'done');
      expect(codes).toContain('done');
    },
  );
});

/** The code of a refusal; rejects where there is none. */
const refusedOf = ({ body }: Awaited<ReturnType<Ask>>): unknown => {
  if (body['code'] === undefined) throw new Error('not refused');
  return body['code'];
};
