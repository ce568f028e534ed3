import { RelayError } from '@sotto/contract/errors';
import type { ChannelId, DeliveryToken, EnvelopeId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type { PutMember } from '@sotto/contract/rest/channels';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { change, codeOf, creation } from '../../test/channels.ts';
import { idBytesOf, randomId } from '../../test/device.ts';
import { envelopeTo, postTo, startExchange, type Exchange, type Party } from '../../test/exchange.ts';
import { Channels } from './channels.ts';

/** Of a busy machine. */
const PATIENCE = { timeout: 15_000 };

let exchange: Exchange;
let channels: Channels;
let [alice, bob, carol]: Party[] = [];
/** Points for strangers, by account. */
let strangers: Map<string, number>;
beforeAll(async () => {
  exchange = await startExchange();
  const { doorbell, inboxes, mailbox } = exchange;
  const take = (kind: string, key: string, points = 1): void => {
    if (kind !== 'strangers') return;
    const sum = (strangers.get(key) ?? 0) + points;
    if (sum > 3) throw new RelayError('too-many-requests');
    strangers.set(key, sum);
  };
  channels = new Channels(exchange.pool, {
    doorbell,
    inboxes,
    limits: { take },
    strangersAtOnce: 3,
    time: () => mailbox.time(),
  });
});
afterAll(() => exchange.stop());
beforeEach(async () => {
  strangers = new Map();
  [alice, bob, carol] = [await exchange.join(), await exchange.join(), await exchange.join()];
});

const put = ({ account }: Party, token?: DeliveryToken, admin = false): PutMember => ({
  account,
  admin,
  ...(token !== undefined && { token }),
});
const make = async (...members: PutMember[]): Promise<ChannelId> => {
  const request = creation([put(alice!, undefined, true), ...members]);
  await channels.create(alice!.account, request);
  return request.channel;
};
const as = ({ device, account }: Party) => ({ device, account, expiresAt: Infinity });
const post = async (from: Party, channel: ChannelId, epoch = 0) => {
  const sent = postTo(channel, { epoch });
  const [result] = await exchange.mailbox.accept(as(from), { envelopes: [], posts: [sent] });
  expect(result).toMatchObject({ id: sent.id, at: expect.any(Number) as number });
  return sent;
};
const through = async (from: Party, to: Party, channel: ChannelId) => {
  const sent = envelopeTo(to, { token: undefined, channel });
  await exchange.mailbox.accept(as(from), { envelopes: [sent], posts: [] });
  return sent;
};
/** Whether each of these is a request for a device; undefined where it is not there at all. */
const seen = async (party: Party, ...sent: { id: EnvelopeId }[]) => {
  const rows = await exchange.rows(party);
  return sent.map(({ id }) => rows.find((row) => row.id.equals(idBytesOf(id)))?.request);
};
const joined = async ({ account }: Party, channel: ChannelId) =>
  (await channels.list(account)).channels.find((one) => one.channel === channel)?.joined;
const cost = (party: Party) => strangers.get(party.account) ?? 0;

describe('who is put into a channel', () => {
  it('without the token of the account is asked: all of it is a request, and counts as one', async () => {
    const channel = await make(put(bob!));
    expect(cost(alice!)).toBe(1);
    const sent = [await post(alice!, channel), await through(alice!, bob!, channel)];
    expect(await seen(bob!, ...sent)).toEqual([true, true]);
    expect((await exchange.rows(bob!)).map(({ request }) => request)).toEqual([true, true, true]);
    expect((await exchange.rows(alice!)).map(({ request }) => request)).toEqual([false, false]);
    expect([await joined(bob!, channel), await joined(alice!, channel)]).toEqual([false, true]);
    const read = await channels.read(alice!.account, channel, 0);
    expect(read.joined).toBe(true);
    expect(read.members.flatMap(Object.keys)).toEqual(['account', 'admin', 'account', 'admin']);
    expect((await channels.read(bob!.account, channel, 0)).joined).toBe(false);
  });

  it('costs who knocks no place: strangers and channels have bounds of their own', async () => {
    const channel = await make(put(bob!));
    for (let n = 0; n < LIMITS.requestsPerDevice; n += 16) {
      const posts = Array.from({ length: 16 }, () => postTo(channel, { epoch: 0 }));
      await exchange.mailbox.accept(as(alice!), { envelopes: [], posts });
    }
    expect(await exchange.rows(bob!)).toHaveLength(LIMITS.requestsPerDevice);
    const knock = envelopeTo(bob!, { token: undefined });
    const [result] = await exchange.mailbox.accept(as(carol!), { envelopes: [knock], posts: [] });
    expect(result).toMatchObject({ id: knock.id, at: expect.any(Number) as number });
  });

  it('among more strangers than anybody may ask is refused for good', async () => {
    const strangers = await Promise.all([1, 2, 3, 4].map(() => exchange.join()));
    expect(await codeOf(make(...strangers.map((one) => put(one))))).toBe('bad-request');
    expect(
      await codeOf(
        make(...strangers.slice(1).map((one) => put(one)), put(strangers[0]!, strangers[0]!.delivery)),
      ),
    ).toBe('accepted');
  });

  it('with the token is in it; another token is as good as none', async () => {
    const channel = await make(put(bob!, bob!.delivery), put(carol!, bob!.delivery));
    expect(cost(alice!)).toBe(1);
    const sent = await post(alice!, channel);
    const [toBob, toCarol] = [await through(alice!, bob!, channel), await through(alice!, carol!, channel)];
    expect(await seen(bob!, sent, toBob)).toEqual([false, false]);
    expect(await seen(carol!, sent, toCarol)).toEqual([true, true]);
    expect([await joined(bob!, channel), await joined(carol!, channel)]).toEqual([true, false]);
  });

  it('joins by saying so, once or twice, and nobody else does', async () => {
    const channel = await make(put(bob!), put(carol!));
    await Promise.all([1, 2, 3].map(() => channels.join(bob!.account, channel)));
    const sent = [await post(alice!, channel), await through(alice!, bob!, channel)];
    expect(await seen(bob!, ...sent)).toEqual([false, false]);
    expect(await seen(carol!, sent[0]!)).toEqual([true]);
    const stranger = await exchange.join();
    for (const of of [channel, randomId<ChannelId>()])
      expect(await codeOf(channels.join(stranger.account, of))).toBe('channel-unknown');
  });

  it('joins by a post or an entry', async () => {
    const channel = await make(put(bob!), put(carol!));
    const second = await exchange.link(bob!);
    const own = await post(bob!, channel);
    expect([await seen(bob!, own), await seen(second, own), await seen(carol!, own)]).toEqual([
      [false],
      [false],
      [true],
    ]);
    const entry = change(1);
    await channels.change(carol!.account, channel, entry);
    expect(await seen(carol!, entry)).toEqual([false]);
    expect([await joined(bob!, channel), await joined(carol!, channel)]).toEqual([true, true]);
  });

  it('F12: both at once from several relays is no trouble', async () => {
    const made = await Promise.all([1, 2, 3].map(() => make(put(bob!, bob!.delivery), put(carol!))));
    await exchange.pool.query('UPDATE channel_member SET joined = false');
    const beside = await exchange.beside();
    const posting = [exchange, beside, exchange, beside].flatMap(({ mailbox }, n) =>
      [bob!, carol!].map((party) => {
        const order = n % 2 ? made : made.toReversed();
        const posts = order.map((channel) => postTo(channel, { epoch: 0 }));
        return mailbox.accept(as(party), { envelopes: [], posts });
      }),
    );
    const joining = made.map((channel) => channels.join(bob!.account, channel));
    const results = (await Promise.all(posting)).flat();
    await Promise.all(joining);
    await beside.gateway.close();
    expect(results.filter((result) => 'code' in result)).toEqual([]);
    for (const channel of made)
      expect([await joined(bob!, channel), await joined(carol!, channel)]).toEqual([true, true]);
  });

  it('and left is asked anew, and counts anew', async () => {
    const channel = await make(put(bob!));
    await channels.join(bob!.account, channel);
    const leave = change(1, { remove: [bob!.account] });
    await channels.change(bob!.account, channel, leave);
    expect(await seen(bob!, leave)).toEqual([false]);
    const again = change(2, { put: [put(bob!)] });
    await channels.change(alice!.account, channel, again);
    expect(cost(alice!)).toBe(2);
    const sent = [again, await post(alice!, channel, 2), await through(alice!, bob!, channel)];
    expect(await seen(bob!, ...sent)).toEqual([true, true, true]);
    const end = change(3, { remove: [bob!.account] });
    await channels.change(alice!.account, channel, end);
    expect(await seen(bob!, end)).toEqual([true]);
    expect(await seen(bob!, await through(alice!, bob!, channel))).toEqual([true]);
  });

  it('already costs nothing when it is put once more, and stays what it was', async () => {
    const channel = await make(put(bob!, bob!.delivery), put(carol!));
    const members = [put(bob!, undefined, true), put(carol!, randomId(), true)];
    await channels.change(alice!.account, channel, change(1, { put: members }));
    expect([await joined(bob!, channel), await joined(carol!, channel)]).toEqual([true, false]);
    expect(cost(alice!)).toBe(1);
    const vouched = change(2, { put: [put(carol!, carol!.delivery)] });
    await channels.change(alice!.account, channel, vouched);
    expect(await joined(carol!, channel)).toBe(true);
  });

  it('I: past the limit is nobody, and a repetition is not counted', async () => {
    const people = await Promise.all([1, 2].map(() => exchange.join()));
    const request = creation([put(alice!, undefined, true), put(bob!), put(carol!)]);
    for (let n = 0; n < 3; n += 1) await channels.create(alice!.account, request);
    expect(cost(alice!)).toBe(2);
    const more = change(1, { put: people.map((one) => put(one)) });
    const code = await codeOf(channels.change(alice!.account, request.channel, more));
    expect([code, await exchange.rows(people[0]!)]).toEqual(['too-many-requests', []]);
    expect((await channels.read(alice!.account, request.channel, 0)).members).toHaveLength(3);
    const shown = { ...more, put: people.map((one) => put(one, one.delivery)) };
    for (let n = 0; n < 2; n += 1) await channels.change(alice!.account, request.channel, shown);
    expect(cost(alice!)).toBe(2);
  });
});

describe('who has not joined', () => {
  it('A13: hears of posts as they are stored, and of no live signals', async () => {
    const channel = await make(put(bob!), put(carol!, carol!.delivery));
    const [from, to, other] = [alice!, bob!, carol!].map((party) => {
      const connection = exchange.dial(party);
      const heard: unknown[] = [];
      connection.socket.on('live', ({ envelopes }) => void heard.push(...envelopes));
      return { ...connection, heard };
    });
    for (const { seen: had } of [from!, to!, other!])
      await expect.poll(() => had.caughtUp, PATIENCE).toHaveLength(1);
    const body = Buffer.from('x');
    from!.socket.emit('live', {
      envelopes: [
        { device: bob!.device, channel, body },
        { device: carol!.device, channel, body },
      ],
      posts: [{ channel, body }],
    });
    await expect.poll(() => other!.heard, PATIENCE).toHaveLength(2);
    const sent = await post(alice!, channel);
    const delivered = ({ seen: had }: typeof from & {}) => had.delivered.find(({ id }) => id === sent.id);
    await expect.poll(() => delivered(to!), PATIENCE).toMatchObject({ request: true, channel });
    await expect.poll(() => delivered(other!), PATIENCE).toBeDefined();
    expect(delivered(other!)).not.toHaveProperty('request');
    expect(to!.heard).toEqual([]);
    exchange.hangUp();
  });

  /** So many requests of channels, all of which were fetched. */
  const had = (party: Party, count: number) =>
    exchange.pool.query(
      `INSERT INTO envelope (device, id, at, request, post, acked_day)
       SELECT $1, decode(md5($2::text || n), 'hex'), 1, true, 0, 1 FROM generate_series(1, $3) AS n`,
      [idBytesOf(party.device), party.device, count],
    );

  it('I: gets so many requests and no more, fetched or not, and everything once it has joined', async () => {
    const channel = await make(put(bob!), put(carol!, carol!.delivery));
    const second = await exchange.link(bob!);
    await had(bob!, LIMITS.requestsPerDevice - 3);
    const posts = [
      postTo(channel, { epoch: 0 }),
      postTo(channel, { epoch: 0 }),
      postTo(channel, { epoch: 0 }),
    ];
    const results = await exchange.mailbox.accept(as(alice!), { envelopes: [], posts });
    expect(results.filter((result) => 'code' in result)).toEqual([]);
    expect(await seen(bob!, ...posts)).toEqual([true, true, undefined]);
    expect(await seen(second, ...posts)).toEqual([true, true, true]);
    expect(await seen(carol!, ...posts)).toEqual([false, false, false]);
    expect(await exchange.mailbox.accept(as(alice!), { envelopes: [], posts })).toEqual(results);
    const entry = change(1);
    await channels.change(alice!.account, channel, entry);
    expect([await seen(bob!, entry), await seen(second, entry)]).toEqual([[undefined], [true]]);
    // Its own is there, and known again.
    const own = postTo(channel, { epoch: 1 });
    const mine = await exchange.mailbox.accept(as(bob!), { envelopes: [], posts: [own] });
    expect(await exchange.mailbox.accept(as(bob!), { envelopes: [], posts: [own] })).toEqual(mine);
    expect(await seen(bob!, own, await post(alice!, channel, 1))).toEqual([false, false]);
  });
});
