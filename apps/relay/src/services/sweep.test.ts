import { resolve } from 'node:path';
import { LIMITS } from '@sotto/contract/limits';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { idBytesOf, randomId } from '../../test/device.ts';
import { temporaryDatabase } from '../../test/harness.ts';
import { insertAccounts, type TestAccount } from '../../test/roster.ts';
import { migrate } from '../postgres/migrate.ts';
import { DAY, dayOf } from '../store/days.ts';
import { sweep } from './sweep.ts';

const NOW = Date.UTC(2030, 5, 15, 12);
const RETENTION = LIMITS.retentionMs;

let database: Awaited<ReturnType<typeof temporaryDatabase>>;
let [alice, bob]: TestAccount[] = [];
beforeAll(async () => {
  database = await temporaryDatabase();
  await migrate(database.pool, resolve(import.meta.dirname, '../../../../prisma/migrations'));
});
beforeEach(async () => {
  await database.pool.query(
    'TRUNCATE account, channel, envelope, post, invite, email_code, phone_sign_in, relay_day CASCADE',
  );
  await ranOn(dayOf(NOW) - 60, dayOf(NOW));
  [alice, bob] = await insertAccounts(database.pool, 2);
});
afterAll(() => database.close());

const query = (text: string, values: unknown[] = []) => database.pool.query(text, values);
/** On every day from one to the other. */
const ranOn = (from: number, to: number) =>
  query('INSERT INTO relay_day SELECT generate_series($1::int, $2::int) ON CONFLICT DO NOTHING', [from, to]);
const run = async (now = NOW, retention = RETENTION): Promise<unknown[]> => {
  const client = await database.pool.connect();
  const failures: unknown[] = [];
  await sweep(client, { now, retention, failed: (error) => failures.push(error) }).finally(() =>
    client.release(),
  );
  return failures;
};
const device = (of = alice!) => idBytesOf(of.devices[0]!);

/** A row by a name of its own, which is read back as what is left. */
const envelope = async (
  name: string,
  { at, to = device(), post, ackedDay }: { at: number; to?: Buffer; post?: string; ackedDay?: number },
) =>
  query('INSERT INTO envelope (device, id, at, body, post, acked_day) VALUES ($1, $2, $3, $4, $5, $6)', [
    to,
    Buffer.from(name.padEnd(16)),
    at,
    ackedDay === undefined && post === undefined ? Buffer.from('x') : null,
    post ?? null,
    ackedDay ?? null,
  ]);
const left = async (): Promise<string[]> =>
  (await query('SELECT id FROM envelope ORDER BY id')).rows.map(({ id }: { id: Buffer }) =>
    id.toString().trim(),
  );
const post = async (): Promise<string> =>
  (await query("INSERT INTO post (channel, body) VALUES ($1, 'x') RETURNING seq", [idBytesOf(randomId())]))
    .rows[0].seq as string;
const countOf = async (table: string): Promise<number> =>
  Number((await query(`SELECT count(*) FROM ${table}`)).rows[0].count);

describe('the sweep', () => {
  it('deletes what waited longer than it may, to the millisecond, and nothing sooner', async () => {
    await envelope('too old', { at: NOW - RETENTION - 1 });
    await envelope('just in time', { at: NOW - RETENTION });
    await envelope('new', { at: NOW });
    await run();
    expect(await left()).toEqual(['just in time', 'new']);
    await run(NOW, DAY);
    expect(await left()).toEqual(['new']);
  });

  it('F12: remembers what was acknowledged for seven days', async () => {
    const today = dayOf(NOW);
    await envelope('eight days', { at: NOW - 9 * DAY, ackedDay: today - 8 });
    await envelope('seven days', { at: NOW - 9 * DAY, ackedDay: today - 7 });
    await envelope('today', { at: NOW - RETENTION - DAY, ackedDay: today });
    await run();
    expect(await left()).toEqual(['seven days', 'today']);
  });

  it('deletes posts that nobody waits for, and keeps the others', async () => {
    const [orphan, read, half, waiting] = [await post(), await post(), await post(), await post()];
    await envelope('read 1', { at: NOW, post: read, ackedDay: dayOf(NOW) });
    await envelope('half 1', { at: NOW, post: half, ackedDay: dayOf(NOW) });
    await envelope('half 2', { at: NOW, post: half, to: device(bob!) });
    await envelope('old', { at: NOW - RETENTION - 1, post: orphan, to: device(bob!) });
    await envelope('waiting', { at: NOW, post: waiting });
    await run();
    const { rows } = await query('SELECT seq FROM post ORDER BY seq');
    expect(rows.map(({ seq }: { seq: string }) => seq)).toEqual([half, waiting]);
    expect(await left()).toEqual(['half 1', 'half 2', 'read 1', 'waiting']);
  });

  it('deletes what is there for a device that was removed or is not there', async () => {
    await envelope('for bob', { at: NOW, to: device(bob!) });
    await envelope('for nobody', { at: NOW, to: idBytesOf(randomId()) });
    const kept = await post();
    await envelope('for all', { at: NOW, post: kept, to: device(bob!) });
    await query('UPDATE device SET removed_at = now() WHERE id = $1', [device(alice!)]);
    await envelope('for alice', { at: NOW, to: device(alice!) });
    const alone = await post();
    await envelope('for her alone', { at: NOW, post: alone, to: device(alice!) });
    await run();
    expect(await left()).toEqual(['for all', 'for bob']);
    expect(await countOf('post')).toBe(1);
  });

  it('deletes channels of whose members no account is left', async () => {
    const [theirs, nobodys] = [idBytesOf(randomId()), idBytesOf(randomId())];
    for (const id of [theirs, nobodys]) {
      await query('INSERT INTO channel (id, epoch) VALUES ($1, 0)', [id]);
      await query("INSERT INTO channel_entry (channel, epoch, entry) VALUES ($1, 0, 'x')", [id]);
      await query('INSERT INTO channel_member (channel, account, admin) VALUES ($1, $2, true)', [
        id,
        idBytesOf(randomId(32)),
      ]);
    }
    await query('INSERT INTO channel_member (channel, account, admin) VALUES ($1, $2, false)', [
      theirs,
      idBytesOf(alice!.account),
    ]);
    await run();
    expect((await query('SELECT id FROM channel')).rows).toEqual([{ id: theirs }]);
    expect([await countOf('channel_member'), await countOf('channel_entry')]).toEqual([2, 1]);
  });

  it('deletes codes and sign-ins as they expire, and invites a month later', async () => {
    const at = (ms: number) => new Date(NOW + ms);
    for (const [n, ms] of [-1, 0, 1].entries()) {
      const id = Buffer.alloc(32, n);
      await query('INSERT INTO email_code (request, hash, tries, expires_at) VALUES ($1, $1, 5, $2)', [
        id,
        at(ms),
      ]);
      await query('INSERT INTO phone_sign_in (id, expires_at) VALUES ($1, $2)', [id, at(ms)]);
      await query('INSERT INTO invite (id, expires_at, used) VALUES ($1, $2, $3)', [
        id,
        at(ms - 30 * DAY),
        n % 2 === 0,
      ]);
    }
    await run();
    for (const table of ['email_code', 'phone_sign_in', 'invite'])
      expect(await countOf(table), table).toBe(2);
  });

  it('F9: deletes nothing that waits because the clock leaps, a day or years, and comes back', async () => {
    // Each day on which a wrong clock was seen counts as one while it is.
    for (let days = 0; days <= 26; days += 1) await envelope(`of ${days}`, { at: NOW - days * DAY });
    await envelope('acked', { at: NOW - 3 * DAY, ackedDay: dayOf(NOW) - 3 });
    await query('INSERT INTO invite (id, expires_at) VALUES ($1, $2)', [
      Buffer.alloc(32),
      new Date(NOW + DAY),
    ]);
    for (const days of [1, -1, 0, 32, 0, 3_000, 0]) await run(NOW + days * DAY);
    expect(await left()).toHaveLength(28);
    expect(await countOf('invite')).toBe(1);
  });

  it('F9: counts the days on which a relay ran: mail waits while there is none, and not for ever', async () => {
    await envelope('waits', { at: NOW });
    await run(NOW);
    // Switched off for forty days; then nothing is sent for a month.
    const back = dayOf(NOW) + 40;
    for (let day = back; day < back + 29; day += 1) await run(day * DAY);
    expect(await left()).toEqual(['waits']);
    await run((back + 29) * DAY);
    expect(await left()).toEqual([]);
  });

  it('deletes no mail before it has run for as long as mail waits', async () => {
    await query('TRUNCATE relay_day');
    // As a clock left them that was ahead.
    await ranOn(dayOf(NOW) + 1, dayOf(NOW) + 60);
    await envelope('old', { at: NOW - 2 * RETENTION });
    await run();
    expect(await left()).toEqual(['old']);
  });

  it('keeps no more days than anything waits', async () => {
    await ranOn(dayOf(NOW) - 1_000, dayOf(NOW));
    await run();
    expect(await countOf('relay_day')).toBe(401);
  });

  it('goes on when one of its statements fails', async () => {
    await envelope('old', { at: NOW - RETENTION - 1 });
    await query('INSERT INTO email_code (request, hash, tries, expires_at) VALUES ($1, $1, 5, $2)', [
      Buffer.alloc(32),
      new Date(0),
    ]);
    await query('ALTER TABLE post RENAME TO elsewhere');
    try {
      expect(await run()).toMatchObject([{ code: '42P01' }]);
    } finally {
      await query('ALTER TABLE elsewhere RENAME TO post');
    }
    expect([await left(), await countOf('email_code')]).toEqual([[], 0]);
  });
});
