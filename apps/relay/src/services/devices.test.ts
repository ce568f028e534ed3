import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { idBytesOf } from '../../test/device.ts';
import { temporaryDatabase } from '../../test/harness.ts';
import { insertAccounts } from '../../test/roster.ts';
import { migrate } from '../postgres/migrate.ts';
import { removeDevice } from './devices.ts';

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
