import { RelayError } from '@sotto/contract/errors';
import type { AccountId, ChannelId, DeviceId } from '@sotto/contract/ids';
import type pg from 'pg';
import { expect, it } from 'vitest';
import { idBytesOf, randomId } from '../../test/device.ts';
import { idsArray } from '../store/arrays.ts';
import { Live } from './live.ts';

it('I: posts to one channel ask once who reads it, and are limited by their copies', async () => {
  const [channel, account, device] = [randomId<ChannelId>(), randomId<AccountId>(32), randomId<DeviceId>()];
  const readers = [device, ...Array.from({ length: 3 }, () => randomId<DeviceId>())];
  const asked: Buffer[] = [];
  const query = ({ name, values }: { name: string; values: Buffer[] }) => {
    if (name === 'memberships')
      return { rows: Array.from({ length: 32 }, (_, n) => ({ n: String(n + 1), joined: true })) };
    asked.push(values[0]!);
    return { rows: [{ n: '1', devices: Buffer.concat(readers.map(idBytesOf)) }] };
  };
  let copies = 0;
  const take = (kind: string, key: string, points = 1): void => {
    if (kind !== 'liveCopies') return;
    expect(key).toBe(account);
    if (copies + points > 15) throw new RelayError('too-many-requests');
    copies += points;
  };
  const delivered: (readonly DeviceId[])[] = [];
  const live = new Live({ query: async (asked: never) => query(asked) } as unknown as pg.Pool, {
    limits: { take },
    deliver: (devices) => void delivered.push(devices),
  });
  const posts = Array.from({ length: 32 }, () => ({ channel, body: Buffer.alloc(8) }));
  live.pass({ account, device, expiresAt: Infinity }, { envelopes: [], posts });
  await expect.poll(() => delivered.length).toBe(5);
  expect(delivered).toEqual(Array(5).fill(readers.slice(1)));
  expect(asked).toEqual([idsArray([channel])]);
});
