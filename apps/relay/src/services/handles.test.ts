import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Handle } from '@sotto/contract/ids';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryDatabase } from '../../test/harness.ts';
import { claimSkeleton, skeletonOf } from './handles.ts';

const MIGRATIONS = join(import.meta.dirname, '../../../../prisma/migrations');
const sqlOf = (name: string) => readFileSync(join(MIGRATIONS, name, 'migration.sql'), 'utf8');
const SECOND = sqlOf('20261121000000_channels_requests_devices');

/** Handles made of what is mistaken for something else, more often than not. */
const handles = fc
  .array(fc.constantFrom(...'0o1l_mrnwvvab9'), { minLength: 2, maxLength: 23 })
  .map((rest) => `a${rest.join('')}`.slice(0, 24))
  .filter((handle) => Handle.safeParse(handle).success);

/** Each swaps a part of a handle for what looks the same. */
const SWAPS: [string, string][] = [
  ['0', 'o'],
  ['o', '0'],
  ['1', 'l'],
  ['l', '1'],
  ['m', 'rn'],
  ['rn', 'm'],
  ['w', 'vv'],
  ['vv', 'w'],
  ['_', ''],
  ['a', 'a_'],
];

let database: Awaited<ReturnType<typeof temporaryDatabase>>;
beforeAll(async () => void (database = await temporaryDatabase()));
afterAll(() => database.close());

describe('handles', () => {
  it('I: look the same after any swaps of what looks the same', () => {
    fc.assert(
      fc.property(handles, fc.array(fc.constantFrom(...SWAPS), { maxLength: 8 }), (handle, swaps) => {
        const swapped = swaps.reduce((text, [from, to]) => text.replace(from, to), handle);
        expect(skeletonOf(swapped)).toBe(skeletonOf(handle));
      }),
    );
  });

  it('look different where they are', () => {
    const different = ['anna', 'ann', 'arma', 'anne', 'hanna', 'an2', 'an3'];
    expect(new Set(different.map(skeletonOf)).size).toBe(different.length);
  });

  it('I: of the host’s are reserved, also in disguise', () => {
    for (const handle of ['sotto', 's0tto', 's_0_t_t_0', 'admin', 'adrnin', 'r00t', 'nu11', 'tearn']) {
      expect(() => claimSkeleton(handle as Handle)).toThrow('handle-taken');
    }
    expect(claimSkeleton('adam' as Handle)).toBe('adarn');
  });

  it('look the same to the migration', async () => {
    const expression = /"skeleton" = (replace\(.*\));/.exec(SECOND)![1];
    const some = fc.sample(handles, 2000);
    const { rows } = await database.pool.query<{ skeleton: string }>(
      `SELECT ${expression} AS skeleton FROM unnest($1::text[]) WITH ORDINALITY AS of (handle, n) ORDER BY n`,
      [some],
    );
    expect(rows.map(({ skeleton }) => skeleton)).toEqual(some.map(skeletonOf));
  });

  it('that look alike already stay through the migration', async () => {
    await database.pool.query(sqlOf('20250101000000_first'));
    await database.pool.query(
      `INSERT INTO account (id, handle, created_at) VALUES
       ('\\x01', 'mona', now()), ('\\x02', 'rnona', now()), ('\\x03', 'm_ona', now()), ('\\x04', 'other', now())`,
    );
    await database.pool.query(SECOND);
    const { rows } = await database.pool.query('SELECT handle, skeleton, head FROM account ORDER BY id');
    expect(rows.map(({ skeleton }: { skeleton: string }) => skeleton)).toEqual([
      'rnona',
      'rnona rnona',
      'rnona m_ona',
      'other',
    ]);
    expect(rows[3]).toMatchObject({ head: Buffer.from([4]) });
  });
});
