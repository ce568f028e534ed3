import type { PutMember } from '@sotto/contract/rest/channels';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { change, creation } from '../../test/channels.ts';
import { envelopeTo, postTo, startExchange, type Exchange, type Party } from '../../test/exchange.ts';
import { selectLoad, selectLoads } from '../store/inboxes.ts';
import { createLog } from '../log.ts';
import { Channels } from './channels.ts';
import { Inboxes } from './inboxes.ts';

/** As the real ones: the share of posts is no whole number. */
const FULL = { rows: 10, bytes: 10_001 };

/** Of a busy machine. */
const PATIENCE = { timeout: 15_000 };

let exchange: Exchange;
let [alice, bob, carol]: Party[] = [];
beforeAll(async () => {
  exchange = await startExchange({ full: FULL });
});
afterAll(() => exchange.stop());
beforeEach(async () => {
  [alice, bob, carol] = [await exchange.join(), await exchange.join(), await exchange.join()];
});

const as = ({ device, account }: Party) => ({ device, account, expiresAt: Infinity });
const send = (from: Party, ...envelopes: ReturnType<typeof envelopeTo>[]) =>
  exchange.mailbox.accept(as(from), { envelopes, posts: [] });
const post = (from: Party, ...posts: ReturnType<typeof postTo>[]) =>
  exchange.mailbox.accept(as(from), { envelopes: [], posts });
const codes = (results: readonly object[]) =>
  results.map((result) => ('code' in result ? result.code : 'stored'));
const fill = async (party: Party, count: number) => {
  const envelopes = Array.from({ length: count }, () => envelopeTo(party));
  const results = await send(alice!, ...envelopes);
  await exchange.inboxes.find();
  return { envelopes, results };
};
const later = () => (exchange.clock.ahead += 6_000);
const ids = async (party: Party) => (await exchange.rows(party)).map(({ id }) => id.toString('base64url'));

describe('an inbox', () => {
  it('F10: that is full takes nothing more, says so by name, and takes it again after acks', async () => {
    const { envelopes, results } = await fill(bob!, FULL.rows);
    const [first, other, behind] = [envelopeTo(bob!), envelopeTo(carol!), envelopeTo(bob!)];
    const full = { code: 'inbox-full', retryAfter: expect.any(Number) as number };
    expect(await send(alice!, first, other, behind)).toMatchObject([
      { id: first.id, ...full },
      { id: other.id, at: expect.any(Number) as number },
      { id: behind.id, ...full },
    ]);
    // Also by the way that is for many, and what it has it has.
    const many = Array.from({ length: 40 }, () => envelopeTo(carol!));
    expect(codes(await send(alice!, envelopes[0]!, ...many, first)).slice(-1)).toEqual(['inbox-full']);
    expect((await send(alice!, envelopes[0]!))[0]).toEqual(results[0]);
    expect(await exchange.rows(bob!)).toHaveLength(FULL.rows);
    later();
    await exchange.mailbox.acknowledge(
      bob!.device,
      envelopes.slice(0, 5).map(({ id }) => id),
    );
    await expect
      .poll(async () => codes(await send(alice!, first, behind)), PATIENCE)
      .toEqual(['stored', 'stored']);
    expect(exchange.inboxes.crowded).not.toContain(bob!.device);
  });

  it('F10: is looked at again when something is refused: another relay may have stored the acks', async () => {
    const { envelopes } = await fill(bob!, FULL.rows);
    const beside = await exchange.beside();
    await beside.mailbox.acknowledge(
      bob!.device,
      envelopes.map(({ id }) => id),
    );
    await beside.gateway.close();
    expect(codes(await send(alice!, envelopeTo(bob!)))).toEqual(['inbox-full']);
    later();
    await expect.poll(async () => codes(await send(alice!, envelopeTo(bob!))), PATIENCE).toEqual(['stored']);
  });

  it('is not told to strangers to be full: for them there is no room for requests', async () => {
    await fill(bob!, FULL.rows);
    const [toBob] = await send(carol!, envelopeTo(bob!, { token: undefined }));
    expect(toBob).toMatchObject({ code: 'requests-full' });
    expect(exchange.taken.get(`strangers ${carol!.account}`)).toBeUndefined();
  });

  it('F10: in which much waits gets no posts and entries, so that there is room for who writes to it', async () => {
    const channel = await exchange.channel([alice!, bob!, carol!]);
    const second = await exchange.link(bob!);
    const { envelopes } = await fill(bob!, FULL.rows * 0.8);
    const sent = postTo(channel);
    const [result] = await post(alice!, sent);
    expect(await ids(bob!)).not.toContain(sent.id);
    for (const one of [second, carol!, alice!]) expect(await ids(one)).toContain(sent.id);
    expect(codes(await send(alice!, envelopeTo(bob!)))).toEqual(['stored']);
    // The sending device gets a mark of it: it is what a repetition is known by, and waits for nobody.
    const own = postTo(channel);
    const [mine] = await post(bob!, own);
    const marks = (await exchange.rows(bob!)).filter(({ post: of }) => of !== null);
    expect(marks.map(({ id, acked_day: day }) => [id.toString('base64url'), day !== null])).toEqual([
      [own.id, true],
    ]);
    expect([await post(bob!, own), await post(alice!, sent)]).toEqual([[mine], [result]]);

    const { doorbell, inboxes, mailbox, pool } = exchange;
    const limits = { take: () => undefined };
    const channels = new Channels(pool, {
      doorbell,
      inboxes,
      limits,
      strangersAtOnce: 60,
      time: () => mailbox.time(),
    });
    const members: PutMember[] = [
      { account: carol!.account, admin: true },
      { account: bob!.account, admin: false, token: bob!.delivery },
    ];
    const entry = creation(members);
    await channels.create(carol!.account, entry);
    expect(await ids(bob!)).not.toContain(entry.id);
    expect(await ids(second)).toContain(entry.id);

    later();
    await exchange.mailbox.acknowledge(
      bob!.device,
      envelopes.map(({ id }) => id),
    );
    await expect.poll(() => exchange.inboxes.crowded, PATIENCE).not.toContain(bob!.device);
    const next = change(1);
    await channels.change(carol!.account, entry.channel, next);
    expect(await ids(bob!)).toContain(next.id);
  });

  it('is known to be full from the start of a relay on', async () => {
    await fill(bob!, FULL.rows);
    const log = createLog('silent');
    const beside = new Inboxes(exchange.pool, { now: Date.now, log, full: FULL });
    await expect.poll(() => beside.isFull(bob!.device), PATIENCE).toBe(true);
    beside.close();
  });

  it('is full by bytes too, and only by what waits', async () => {
    const body = Buffer.alloc(FULL.bytes / 4);
    const envelopes = Array.from({ length: 3 }, () => envelopeTo(bob!, { body }));
    await send(alice!, ...envelopes, envelopeTo(bob!, { body: body.subarray(100) }));
    await exchange.inboxes.find();
    expect(codes(await send(alice!, envelopeTo(bob!, { body })))).toEqual(['stored']);
    await exchange.inboxes.find();
    expect(codes(await send(alice!, envelopeTo(bob!)))).toEqual(['inbox-full']);
    await exchange.mailbox.acknowledge(bob!.device, [envelopes[0]!.id]);
    await exchange.inboxes.find();
    expect(codes(await send(alice!, envelopeTo(bob!)))).toEqual(['stored']);
  });

  it('weighs the same looked at alone and among all', async () => {
    await exchange.pool.query('UPDATE envelope SET acked_day = 1, body = NULL WHERE acked_day IS NULL');
    const channel = await exchange.channel([alice!, bob!]);
    await post(alice!, postTo(channel));
    await send(alice!, envelopeTo(bob!, { body: Buffer.alloc(300) }), envelopeTo(bob!));
    const load = { rows: 3, bytes: 332 };
    expect(await selectLoad(exchange.pool, bob!.device, 100)).toEqual(load);
    expect(await selectLoad(exchange.pool, bob!.device, 2)).toMatchObject({ rows: 2 });
    for (const least of [
      { rows: 3, bytes: 1e9 },
      { rows: 100, bytes: 332 },
    ])
      expect([...(await selectLoads(exchange.pool, least))]).toEqual([[bob!.device, load]]);
    expect(await selectLoads(exchange.pool, { rows: 4, bytes: 333 })).toEqual(new Map());
  });

  it('F3: of which nothing can be learnt now stays what it was', async () => {
    await fill(bob!, FULL.rows);
    await exchange.pool.query('ALTER TABLE envelope RENAME TO away');
    await exchange.inboxes.find();
    await exchange.pool.query('ALTER TABLE away RENAME TO envelope');
    expect(exchange.inboxes.isFull(bob!.device)).toBe(true);
  });
});
