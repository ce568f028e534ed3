import type { AccountId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { parseLink } from '@sotto/contract/link';
import { afterEach, describe, expect, it } from 'vitest';
import { call, connect, envelopeFor, join, signIn, type TestDevice } from '../test/device.ts';
import { eventually, startRelay, temporaryDatabase, type TestRelay } from '../test/harness.ts';

const FULL = process.env['FAULTS'] === 'full';
const DAY = 24 * 60 * 60 * 1000;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

describe('a clock that is wrong', () => {
  const start = async (databaseUrl?: string): Promise<TestRelay> => {
    const test = await startRelay(databaseUrl === undefined ? {} : { databaseUrl });
    closers.push(() => test.stop());
    return test;
  };
  const renewed = async (test: TestRelay, device: TestDevice) => {
    const signed = await signIn(test.relay.port, device);
    expect([signed.status, signed.body['code']]).toEqual([200, undefined]);
    return String(signed.body['token']);
  };
  const send = async (test: TestRelay, from: TestDevice, to: TestDevice): Promise<number> => {
    const { body, ...rest } = envelopeFor(to.device);
    const envelope = { ...rest, body: Buffer.from(body).toString('base64url') };
    const token = await renewed(test, from);
    const answer = await call(test.relay.port, 'POST', '/v1/envelopes', {
      token,
      body: { envelopes: [envelope], posts: [] },
    });
    expect([answer.status, answer.body['code']]).toEqual([200, undefined]);
    const [result] = answer.body['results'] as { at: number }[];
    return result!.at;
  };

  it('F9: a day off either way, and stepping back: the order of acceptance never goes back, nothing expires', async () => {
    const test = await start();
    const [alice, bob] = [await join(test), await join(test)];
    const times: number[] = [];
    const steps = FULL
      ? Array.from({ length: 60 }, () => Math.random() * 2 - 1)
      : [0, 1, 0.5, -1, 0, -0.5, 1];
    for (const days of steps) {
      test.clock.ahead = Math.round(days * DAY);
      for (let n = 0; n < 3; n += 1) times.push(await send(test, alice, bob));
    }
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
    test.clock.ahead = 0;
    const to = connect(test.relay.port, { token: await renewed(test, bob) }, { acks: true });
    await eventually(() => expect(to.seen.delivered).toHaveLength(times.length));
    expect(to.seen.delivered.map(({ at }) => at)).toEqual(times);
    to.close();
  });

  it('F9: over a new start with a clock that was set back the order goes on', async () => {
    const database = await temporaryDatabase();
    closers.push(() => database.close());
    const first = await startRelay({ databaseUrl: database.url });
    const invite = async () => parseLink(await first.relay.createInvite())!.invite!;
    const joined = { ...first, invite };
    const [alice, bob] = [await join(joined), await join(joined)];
    first.clock.ahead = DAY;
    const before = await send(first, alice, bob);
    await first.stop();
    const second = await start(database.url);
    expect(await send(second, alice, bob)).toBeGreaterThan(before);
  });

  it('F9: tokens run out at their time by the clock, and are signed anew after any step', async () => {
    const test = await start();
    const alice = await join(test);
    const look = async (token: string) =>
      (await call(test.relay.port, 'GET', `/v1/accounts/${alice.account as AccountId}`, { token })).body[
        'code'
      ];
    expect(await look(alice.token)).toBeUndefined();
    test.clock.ahead = DAY;
    expect(await look(alice.token)).toBe('token-expired');
    const ahead = await renewed(test, alice);
    expect(await look(ahead)).toBeUndefined();
    test.clock.ahead = DAY + LIMITS.accessTokenMs + 1_000;
    expect(await look(ahead)).toBe('token-expired');
    // Back a day: what was signed in that future is not good for a day and a quarter of an hour.
    test.clock.ahead = 0;
    expect(await look(ahead)).toBe('token-expired');
    expect(await look(await renewed(test, alice))).toBeUndefined();
  });

  it('F9: a socket ends with its token also when the clock was set back meanwhile', async () => {
    const lifetimes = { accessToken: 10_000, challenge: 60_000, invite: 60_000 };
    const test = await startRelay({ lifetimes });
    closers.push(() => test.stop());
    const alice = await join(test);
    const line = connect(test.relay.port, { token: alice.token });
    await eventually(() => expect(line.seen.caughtUp).toEqual([0]));
    test.clock.ahead = -DAY;
    const token = await renewed(test, alice);
    const other = connect(test.relay.port, { token });
    await eventually(() => expect(other.seen.caughtUp).toEqual([0]));
    await eventually(() => expect(line.seen.problems).toEqual(['token-expired']));
    // As does one whose token was made by that clock, once it is put right.
    test.clock.ahead = -2 * DAY;
    await eventually(() => expect(other.seen.problems).toEqual(['token-expired']));
  });

  it('F9: a clock that runs weeks ahead costs no mail, over a new start either', async () => {
    const database = await temporaryDatabase();
    closers.push(() => database.close());
    const first = await startRelay({ databaseUrl: database.url });
    const invite = async () => parseLink(await first.relay.createInvite())!.invite!;
    const joined = { ...first, invite };
    const [alice, bob] = [await join(joined), await join(joined)];
    await send(first, alice, bob);
    await first.stop();
    const now = () => Date.now() + 40 * DAY;
    // It goes last in a sweep.
    await database.pool.query("INSERT INTO phone_sign_in (id, expires_at) VALUES ('x', to_timestamp(0))");
    const second = await startRelay({ databaseUrl: database.url, now });
    closers.push(() => second.stop());
    await eventually(async () =>
      expect((await database.pool.query('SELECT FROM phone_sign_in')).rows).toEqual([]),
    );
    await send(second, alice, bob);
    const { body } = await call(second.relay.port, 'GET', '/v1/inbox', { token: await renewed(second, bob) });
    expect(body['envelopes']).toHaveLength(2);
  });
});
