import type { OutgoingPost } from '@sotto/contract/envelope';
import type { SendResult } from '@sotto/contract/events/relay';
import type { AccountId, ChannelId, DeviceId } from '@sotto/contract/ids';
import type pg from 'pg';
import { expect, it } from 'vitest';
import { randomId } from '../../test/device.ts';
import { postTo } from '../../test/exchange.ts';
import { Copies } from './copies.ts';
import type { SendJob } from './fates.ts';

const channel = randomId<ChannelId>();
const jobOf = (count: number, sender = randomId<DeviceId>()) => {
  const items = Array.from({ length: count }, () => postTo(channel));
  const heard: SendResult[][] = [];
  const account = randomId<AccountId>(32);
  const job: SendJob = {
    sender,
    owner: account,
    kind: 'posts',
    rows: count,
    bytes: count * 32,
    identity: { account, device: sender, expiresAt: Infinity },
    items,
    done: (results) => void heard.push(results),
  };
  return { job, heard, ids: items.map(({ id }) => id) };
};
const copiesOf = (devices: number) => {
  const query = async () => ({ rows: [{ n: '1', devices: String(devices) }] });
  return new Copies({ query } as unknown as pg.Pool, () => 0);
};
const idsOf = ({ items }: SendJob) => (items as OutgoingPost[]).map(({ id }) => id);
const answer = (job: SendJob, extra: object) =>
  job.done(idsOf(job).map((id) => ({ id, ...extra }) as SendResult));

it('I: an event that makes too many rows for one statement is stored in parts, and answered in one go', async () => {
  const copies = copiesOf(2_000);
  const [large, after, other] = [jobOf(5, 'a' as never), jobOf(1, 'a' as never), jobOf(1)];
  const { fitting, left } = await copies.fit([large.job, after.job, other.job]);
  expect(fitting.map(idsOf)).toEqual([large.ids.slice(0, 2)]);
  expect(left.map(idsOf)).toEqual([large.ids.slice(2), after.ids, other.ids]);
  expect([fitting[0]!, left[0]!].map(({ rows, bytes }) => [rows, bytes])).toEqual([
    [2, 64],
    [3, 96],
  ]);
  answer(fitting[0]!, { at: 1 });
  expect(large.heard).toEqual([]);
  const next = await copies.fit(left);
  expect(next.fitting.map(idsOf)).toEqual([large.ids.slice(2, 4)]);
  answer(next.fitting[0]!, { at: 2 });
  answer(next.left[0]!, { at: 3 });
  expect(large.heard).toEqual([large.ids.map((id, n) => ({ id, at: [1, 1, 2, 2, 3][n] }))]);
});

it('what is left of an event is refused like what stood before it, where that may pass', async () => {
  for (const [code, held] of [
    ['too-many-requests', { code: 'too-many-requests', retryAfter: 7 }],
    ['stale-epoch', undefined],
  ] as const) {
    const { fitting, left } = await copiesOf(9_000).fit([jobOf(2).job]);
    answer(fitting[0]!, { code, retryAfter: 7 });
    expect(left[0]!.held).toEqual(held);
  }
});
