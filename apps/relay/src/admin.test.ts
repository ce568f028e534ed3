import { parseLink } from '@sotto/contract/link';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDevice, call, connect, createDevice, join, randomId, signIn } from '../test/device.ts';
import { eventually, startRelay, temporaryDatabase, type TestRelay } from '../test/harness.ts';
import { runCommand, USAGE } from './admin.ts';
import { readConfig } from './config.ts';

let database: Awaited<ReturnType<typeof temporaryDatabase>>;
let test: TestRelay;
beforeAll(async () => {
  database = await temporaryDatabase();
  test = await startRelay({ databaseUrl: database.url });
});
afterAll(async () => {
  await test.stop();
  await database.close();
});
/** A command beside the running relay. */
const sotto = (...args: string[]) => runCommand(args, { ...readConfig({}), databaseUrl: database.url });

describe('the host’s commands', () => {
  it('list the accounts with the day of registration and their devices', async () => {
    expect(await sotto('accounts', 'list')).toBe('There are no accounts.');
    const alice = await join(test);
    await addDevice(test.relay.port, alice);
    const bob = await join(test);
    await sotto('devices', 'remove', bob.device);
    const today = new Date().toISOString().slice(0, 10);
    expect((await sotto('accounts', 'list'))!.split('\n').map((line) => line.split(/ +/))).toEqual([
      [alice.registration.handle, today, '2'],
      [bob.registration.handle, today, '0'],
    ]);
  });

  it('remove an account, whose devices are cut off at once', async () => {
    const carol = await join(test);
    const socket = connect(test.relay.port, { token: carol.token });
    await eventually(() => expect(socket.seen.caughtUp).toEqual([0]));
    expect(await sotto('accounts', 'remove', carol.registration.handle)).toBe('Removed.');
    await eventually(() => expect(socket.seen.disconnects).toEqual(['io server disconnect']));
    expect((await signIn(test.relay.port, carol)).body['code']).toBe('device-unknown');
    expect(await sotto('accounts', 'remove', carol.registration.handle)).toBe('There is no such account.');
  });

  it('make invites, and remove devices once', async () => {
    const { invite } = parseLink((await sotto('invite'))!)!;
    const keys = await createDevice(invite!);
    const registered = await call(test.relay.port, 'POST', '/v1/accounts', { body: keys.registration });
    expect(registered.status).toBe(201);
    for (const _ of [1, 2]) expect(await sotto('devices', 'remove', keys.device)).toBe('Removed.');
    expect(await sotto('devices', 'remove', randomId())).toBe('There is no such device.');
  });

  it('leave a database of an older release as it is, beneath the relay that may be running on it', async () => {
    const older = await temporaryDatabase();
    try {
      const asked = runCommand(['accounts', 'list'], { ...readConfig({}), databaseUrl: older.url });
      await expect(asked).rejects.toMatchObject({ code: 'database-older' });
      const { rows } = await older.pool.query("SELECT FROM pg_tables WHERE schemaname = 'public'");
      expect(rows).toEqual([]);
    } finally {
      await older.close();
    }
  });

  it.each([
    [['accounts']],
    [['accounts', 'list', 'x']],
    [['accounts', 'remove']],
    [['accounts', 'remove', 'A B']],
    [['accounts', 'remove', 'anna', 'bob']],
    [['devices', 'remove', 'x']],
    [['invite', 'x']],
    [['help']],
  ])('are explained instead of %j', async (args) => {
    expect(await sotto(...args)).toBeUndefined();
    expect(USAGE).toContain('sotto accounts remove <handle>');
  });
});
