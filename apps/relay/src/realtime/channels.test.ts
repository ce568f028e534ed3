import { randomBytes } from 'node:crypto';
import { LIMITS } from '@sotto/contract/limits';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, change, creation, plain } from '../../test/channels.ts';
import { call, connect, join } from '../../test/device.ts';
import { eventually, startRelay, type TestRelay } from '../../test/harness.ts';

let test: TestRelay;
beforeAll(async () => {
  test = await startRelay();
});
afterAll(() => test.stop());

describe('a channel of a whole relay', () => {
  it('tells who is connected of each entry, also who is removed by it', async () => {
    const { port } = test.relay;
    const [alice, bob] = [await join(test), await join(test)];
    const members = [alice, bob].map(({ account }) => ({ account, devices: [] }));
    const { seen, close } = connect(port, { token: bob.token });
    await eventually(() => expect(seen.caughtUp).toEqual([0]));
    const first = creation([admin(members[0]!), plain(members[1]!)]);
    const last = change(1, {
      remove: [bob.account],
      entry: randomBytes(LIMITS.entryBytes).toString('base64url'),
    });
    const by = { token: alice.token };
    expect((await call(port, 'POST', '/v1/channels', { ...by, body: first })).status).toBe(201);
    const own = { token: bob.token };
    expect((await call(port, 'POST', `/v1/channels/${first.channel}/join`, own)).status).toBe(204);
    const changed = await call(port, 'POST', `/v1/channels/${first.channel}/entries`, { ...by, body: last });
    expect(changed.body).toEqual({ epoch: 1 });
    await eventually(() => expect(seen.delivered).toHaveLength(2));
    expect(
      seen.delivered.map(({ body, ...rest }) => [rest, Buffer.from(body).toString('base64url')]),
    ).toEqual(
      [first, last].map(({ id, entry }) => [
        // Before it joined, it was asked.
        {
          id,
          at: expect.any(Number) as number,
          channel: first.channel,
          ...(id === first.id && { request: true }),
        },
        entry,
      ]),
    );
    close();
    expect((await call(port, 'GET', '/v1/channels', own)).body).toEqual({ channels: [] });
  });
});
