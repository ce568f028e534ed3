import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { amidDeadlocks } from '../../test/deadlock.ts';
import { idBytesOf } from '../../test/device.ts';
import { temporaryDatabase } from '../../test/harness.ts';
import { insertAccounts, type TestAccount } from '../../test/roster.ts';
import { createLog } from '../log.ts';
import { migrate } from '../postgres/migrate.ts';
import { problemOf } from '../problem.ts';
import { openDatabase } from '../store/database.ts';
import type { PrismaClient } from '../store/generated/client.ts';
import { removeAccount, removeDevice } from './devices.ts';

it('A4: a device is removed beside an ack that holds some of its inbox, and both succeed', async () => {
  const { pool, prisma, close } = await temporaryDatabase();
  await migrate(pool, resolve(import.meta.dirname, '../../../../prisma/migrations'));
  const [alice] = await insertAccounts(pool, 1);
  const device = idBytesOf(alice!.devices[0]!);
  const ids = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];
  // They lie in the other order than that of their keys.
  for (const id of ids.toReversed())
    await pool.query('INSERT INTO envelope (device, id, at) VALUES ($1, $2, 1)', [device, id]);
  const ack = await pool.connect();
  const take = (id: Buffer) =>
    ack.query('UPDATE envelope SET acked_day = 1 WHERE device = $1 AND id = $2', [device, id]);
  await ack.query('BEGIN');
  await take(ids[0]!);
  const removal = removeDevice(prisma, alice!.devices[0]!, { account: undefined, now: Date.now() });
  const settled = Promise.allSettled([removal]);
  await sleep(500);
  const second = await take(ids[1]!).then(
    () => 'taken',
    (error: { code?: string }) => error.code,
  );
  await ack.query('COMMIT');
  ack.release();
  expect([second, (await settled)[0].status]).toEqual(['taken', 'fulfilled']);
  expect((await pool.query('SELECT FROM envelope')).rowCount).toBe(0);
  await close();
});

describe('F3: a removal that PostgreSQL ends because of a deadlock', () => {
  type Remove = (prisma: PrismaClient, of: TestAccount) => Promise<void>;
  const device: Remove = (prisma, { devices }) =>
    removeDevice(prisma, devices[0]!, { account: undefined, now: Date.now() });
  const account: Remove = (prisma, of) => removeAccount(prisma, of.account);

  const race = async (remove: Remove, row: 'account' | 'device', times: number) => {
    const { url, pool, close } = await temporaryDatabase();
    await migrate(pool, resolve(import.meta.dirname, '../../../../prisma/migrations'));
    const own = openDatabase({ connectionString: url, options: '-c deadlock_timeout=100ms' });
    const [alice] = await insertAccounts(pool, 1);
    const outcome = await amidDeadlocks(pool, { device: alice!.devices[0]!, row, times }, () =>
      remove(own.prisma, alice!).then(
        () => 'removed',
        (error: unknown) => problemOf(error, createLog('silent')).code,
      ),
    );
    const left = (await pool.query('SELECT FROM device WHERE removed_at IS NULL')).rowCount;
    await own.close();
    await close();
    return { outcome, left };
  };

  it.each([
    ['device', device],
    ['account', account],
  ] as const)('is tried again: of one %s', async (row, remove) => {
    expect(await race(remove, row, 1)).toEqual({ outcome: 'removed', left: 0 });
  });

  it('is given up after some times, as something for later', async () => {
    expect(await race(device, 'device', 4)).toEqual({ outcome: 'busy', left: 1 });
  });
});
