import { RelayError } from '@sotto/contract/errors';
import { LIMITS } from '@sotto/contract/limits';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { idBytesOf, randomId } from '../../test/device.ts';
import { envelopeTo, postTo, startExchange, type Exchange, type Party } from '../../test/exchange.ts';
import { gateOf } from '../store/channels.ts';
import { countRequests } from '../store/envelopes.ts';
import type { Identity } from './tokens.ts';

let exchange: Exchange;
let [alice, bob, carol]: Party[] = [];
beforeAll(async () => {
  exchange = await startExchange();
});
afterAll(() => exchange.stop());
beforeEach(async () => {
  [alice, bob, carol] = [await exchange.join(), await exchange.join(), await exchange.join()];
});

const as = ({ device, account }: Party): Identity => ({ device, account, expiresAt: Infinity });
const send = (from: Party, ...envelopes: ReturnType<typeof envelopeTo>[]) =>
  exchange.mailbox.accept(as(from), { envelopes, posts: [] });
const post = (from: Party, ...posts: ReturnType<typeof postTo>[]) =>
  exchange.mailbox.accept(as(from), { envelopes: [], posts });

describe('the way in', () => {
  it('is open to contacts, one’s own devices and who has a channel in common; all others are requests', async () => {
    const own = await exchange.link(alice!);
    const channel = await exchange.channel([alice!, carol!]);
    const strangers = await exchange.channel([bob!, carol!]);
    await send(
      alice!,
      envelopeTo(bob!),
      envelopeTo(bob!, { token: randomId() }),
      envelopeTo(bob!, { token: undefined }),
      envelopeTo(bob!, { token: undefined, channel }),
      envelopeTo(bob!, { token: undefined, channel: strangers }),
      envelopeTo(own, { token: undefined }),
      envelopeTo(carol!, { token: undefined, channel }),
    );
    expect((await exchange.rows(bob!)).map(({ request }) => request)).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
    expect((await exchange.rows(own))[0]).toMatchObject({ request: false });
    expect((await exchange.rows(carol!))[0]).toMatchObject({ request: false });
  });

  it('is closed to old heads, removed and unknown devices, each by name and without harm to the others', async () => {
    await exchange.remove(carol!);
    const envelopes = [
      envelopeTo(bob!, { head: randomId(32) }),
      envelopeTo(carol!),
      envelopeTo({ ...bob!, device: randomId() }),
      envelopeTo(bob!),
    ];
    expect(await send(alice!, ...envelopes)).toEqual([
      { id: envelopes[0]!.id, code: 'stale-devices' },
      { id: envelopes[1]!.id, code: 'device-unknown' },
      { id: envelopes[2]!.id, code: 'device-unknown' },
      { id: envelopes[3]!.id, at: expect.any(Number) as number },
    ]);
  });

  it.each([1, 40])('is closed to a device that was removed meanwhile: %i at once', async (count) => {
    const before = envelopeTo(bob!);
    const [{ at }] = (await send(alice!, before)) as unknown as [{ at: number }];
    await exchange.remove(alice!);
    const envelopes = [before, ...Array.from({ length: count }, () => envelopeTo(bob!))];
    const [again, ...others] = await send(alice!, ...envelopes);
    // What was accepted stays accepted.
    expect(again).toEqual({ id: before.id, at });
    expect(others).toHaveLength(count);
    for (const result of others) expect(result).toMatchObject({ code: 'device-removed' });
    expect(await exchange.rows(bob!)).toHaveLength(1);
  });

  it('holds as many requests as are kept, and makes room by acks', async () => {
    const stranger = () => envelopeTo(bob!, { token: undefined });
    for (let n = 0; n < LIMITS.requestsPerDevice; n += 50)
      await send(alice!, ...Array.from({ length: 50 }, stranger));
    const [refused] = await send(carol!, stranger());
    const [known] = await send(carol!, envelopeTo(bob!));
    expect([refused, known]).toMatchObject([{ code: 'requests-full' }, { at: expect.any(Number) as number }]);
    await exchange.mailbox.acknowledge(bob!.device, [
      (await exchange.rows(bob!))[0]!.id.toString('base64url') as never,
    ]);
    const results = await send(carol!, stranger(), stranger());
    expect(results.map((result) => 'at' in result)).toEqual([true, false]);
  });
});

describe('requests', () => {
  it('I: cost no more than it takes to see that there are many, and nothing once the sender is limited', async () => {
    for (let n = 0; n < 3; n += 1)
      await send(alice!, envelopeTo(bob!), envelopeTo(bob!, { token: undefined }));
    const devices = [bob!.device, carol!.device];
    expect(Object.fromEntries(await countRequests(exchange.pool, devices, 2))).toEqual({
      [bob!.device]: 2,
      [carol!.device]: 0,
    });
    for (let n = 3; n < LIMITS.requestsPerDevice; n += 1)
      await exchange.pool.query(
        `INSERT INTO envelope (device, id, at, body, request) VALUES ($1, $2, 1, '', true)`,
        [idBytesOf(bob!.device), idBytesOf(randomId())],
      );
    const limits = {
      take: (kind: string) => {
        if (kind === 'strangers') throw new RelayError('too-many-requests');
      },
    };
    const limited = await exchange.beside(limits);
    const envelopes = [envelopeTo(bob!, { token: undefined })];
    const results = await limited.mailbox.accept(as(carol!), { envelopes, posts: [] });
    await limited.gateway.close();
    expect(results).toMatchObject([{ code: 'too-many-requests' }]);
  });
});

describe('idempotency', () => {
  it('F9: is closed behind what may pass, to the same device and in the same event alone', async () => {
    const known = envelopeTo(bob!, { token: undefined });
    await send(alice!, known);
    const others = Array.from({ length: LIMITS.requestsPerDevice - 1 }, () =>
      envelopeTo(bob!, { token: undefined }),
    );
    await send(alice!, ...others);
    const request = envelopeTo(bob!, { token: undefined });
    const behind = envelopeTo(bob!);
    const answers = await send(alice!, known, envelopeTo(bob!), request, behind, known, envelopeTo(carol!));
    expect(answers.map((answer) => ('code' in answer ? answer.code : 'ok'))).toEqual([
      'ok',
      'ok',
      'requests-full',
      'requests-full',
      'ok',
      'ok',
    ]);
    expect((await send(alice!, behind))[0]).toHaveProperty('at');
  });

  it('F12: the same id is one row with the first time, within a batch, across batches and after the ack', async () => {
    const envelope = envelopeTo(bob!);
    const all = await Promise.all([
      send(alice!, envelope, envelopeTo(bob!), envelope),
      send(alice!, envelope),
      send(carol!, envelope),
    ]);
    const times = new Set(
      all
        .flat()
        .filter(({ id }) => id === envelope.id)
        .map((result) => 'at' in result && result.at),
    );
    expect(times.size).toBe(1);
    expect(await exchange.rows(bob!)).toHaveLength(2);
    await exchange.mailbox.acknowledge(bob!.device, [envelope.id]);
    expect(await send(alice!, envelope)).toEqual([{ id: envelope.id, at: [...times][0] }]);
    expect(await exchange.rows(bob!)).toMatchObject([
      { body: null, acked_day: expect.any(Number) as number },
      { acked_day: null },
    ]);
  });

  it('F1: what was accepted stays so although the head has gone on and the answer was lost', async () => {
    const envelope = envelopeTo(bob!);
    const [first] = await send(alice!, envelope);
    await exchange.pool.query('UPDATE account SET head = $2 WHERE id = $1', [
      idBytesOf(bob!.account),
      idBytesOf(randomId(32)),
    ]);
    expect(await send(alice!, envelope, envelopeTo(bob!))).toMatchObject([first, { code: 'stale-devices' }]);
  });

  it('F12: many from many devices at once in all orders', async () => {
    const senders = await Promise.all(Array.from({ length: 8 }, () => exchange.join()));
    const envelopes = Array.from({ length: 60 }, (_, n) => envelopeTo([bob!, carol!, alice!][n % 3]!));
    const beside = await exchange.beside();
    const all = await Promise.all(
      senders.flatMap((sender, n) => {
        const { mailbox } = n % 2 ? beside : exchange;
        const turned = [...envelopes.slice(n * 7), ...envelopes.slice(0, n * 7)];
        return [turned, turned.toReversed()].map((list) =>
          mailbox.accept(as(sender), { envelopes: list, posts: [] }),
        );
      }),
    );
    await beside.gateway.close();
    const times = new Map<string, Set<unknown>>();
    for (const result of all.flat()) {
      const seen = times.get(result.id) ?? new Set();
      times.set(result.id, seen.add('at' in result ? result.at : result.code));
    }
    expect([...times.values()].every((seen) => seen.size === 1)).toBe(true);
    expect(await exchange.rows(bob!)).toHaveLength(20);
  });
});

describe('order', () => {
  it('F9: of one sender is kept, in time and sequence, over both kinds, and times never step back', async () => {
    const channel = await exchange.channel([alice!, bob!]);
    const ids: string[] = [];
    const answers = [];
    for (let n = 0; n < 40; n += 1) {
      if (n === 20) exchange.clock.ahead = -60_000;
      if (n % 3 === 0) {
        const sent = postTo(channel);
        ids.push(sent.id);
        answers.push(post(alice!, sent));
      } else {
        const sent = envelopeTo(bob!);
        ids.push(sent.id);
        answers.push(send(alice!, sent));
      }
      if (n % 7 === 0) await answers[n];
    }
    const times = (await Promise.all(answers)).flat().map((result) => 'at' in result && result.at);
    exchange.clock.ahead = 0;
    const rows = await exchange.rows(bob!);
    expect(rows.map(({ id }) => id.toString('base64url'))).toEqual(ids);
    expect(rows.map(({ at }) => Number(at))).toEqual(times);
    expect(times).toEqual([...times].sort((a, b) => Number(a) - Number(b)));
  });
});

describe('posts', () => {
  it('reach every device of every member, the sender’s too, and are stored once until the last has them', async () => {
    const second = await exchange.link(bob!);
    const channel = await exchange.channel([alice!, bob!]);
    const sent = postTo(channel);
    const [result] = await post(alice!, sent);
    const bodies = () =>
      exchange.pool.query('SELECT body FROM post WHERE channel = $1', [idBytesOf(channel)]);
    expect((await bodies()).rows).toEqual([{ body: sent.body }]);
    const devices = [alice!, bob!, second];
    for (const [n, { device }] of devices.entries()) {
      const { envelopes } = await exchange.mailbox.waiting(device, { except: [], limit: 9, bytes: 1e6 });
      expect(envelopes).toEqual([{ ...result, channel, body: sent.body }]);
      expect((await bodies()).rows).toHaveLength(1);
      await exchange.mailbox.acknowledge(device, [sent.id]);
      if (n < 2) expect((await bodies()).rows).toHaveLength(1);
    }
    await expect.poll(async () => (await bodies()).rows).toEqual([]);
    expect(await post(alice!, sent)).toEqual([result]);
    expect(await exchange.rows(bob!)).toHaveLength(1);
  });

  it('are refused of who is no member, for channels that are not, and under another epoch', async () => {
    const channel = await exchange.channel([alice!]);
    const codes = async (from: Party, ...posts: ReturnType<typeof postTo>[]) =>
      (await post(from, ...posts)).map((result) => ('code' in result ? result.code : 'stored'));
    expect(await codes(bob!, postTo(channel), postTo(channel, { epoch: 2 }), postTo(randomId()))).toEqual([
      'channel-unknown',
      'channel-unknown',
      'channel-unknown',
    ]);
    expect(
      await codes(alice!, postTo(channel, { epoch: 0 }), postTo(channel), postTo(channel, { epoch: 2 })),
    ).toEqual(['stale-epoch', 'stored', 'stale-epoch']);
    await exchange.remove(alice!);
    expect(await codes(alice!, postTo(channel))).toEqual(['channel-unknown']);
  });

  it('are refused when what is sealed in them is of another epoch', async () => {
    const channel = await exchange.channel([alice!, bob!]);
    const sealed = (version: number, epoch: number) => {
      const body = Buffer.alloc(100);
      body.writeUInt8(version);
      body.writeUInt32BE(epoch, 1);
      return { ...postTo(channel), body };
    };
    const posts = [sealed(1, 0), sealed(1, 1), sealed(1, 2), sealed(2, 0)];
    expect(await post(alice!, ...posts)).toEqual([
      { id: posts[0]!.id, code: 'bad-request' },
      { id: posts[1]!.id, at: expect.anything() as number },
      { id: posts[2]!.id, code: 'bad-request' },
      { id: posts[3]!.id, at: expect.anything() as number },
    ]);
    expect(await exchange.rows(bob!)).toHaveLength(2);
  });

  it('F12: the same post many times at once is one for each device', async () => {
    const channel = await exchange.channel([alice!, bob!]);
    const sent = postTo(channel);
    const beside = await exchange.beside();
    const all = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        (n % 2 ? beside : exchange).mailbox.accept(as(alice!), { envelopes: [], posts: [sent, sent] }),
      ),
    );
    await beside.gateway.close();
    expect(new Set(all.flat().map((result) => 'at' in result && result.at)).size).toBe(1);
    expect(await exchange.rows(bob!)).toHaveLength(1);
    const { rows } = await exchange.pool.query('SELECT FROM post WHERE channel = $1', [idBytesOf(channel)]);
    expect(rows).toHaveLength(1);
  });

  it('none under the old epoch is stored after a change', async () => {
    const channel = await exchange.channel([alice!, bob!]);
    const change = await exchange.pool.connect();
    await change.query('BEGIN');
    await change.query('UPDATE channel SET epoch = 2 WHERE id = $1', [idBytesOf(channel)]);
    await change.query('DELETE FROM channel_member WHERE account = $1', [idBytesOf(bob!.account)]);
    // Of these one names the epoch that will be: it has seen the future and is refused as well.
    const racing = post(alice!, postTo(channel), postTo(channel, { epoch: 2 }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await change.query('COMMIT');
    change.release();
    expect(await racing).toMatchObject([{ code: 'stale-epoch' }, { code: 'stale-epoch' }]);
    expect(await exchange.rows(bob!)).toEqual([]);
    expect(await post(alice!, postTo(channel, { epoch: 2 }))).toMatchObject([
      { at: expect.anything() as number },
    ]);
    expect(await exchange.rows(bob!)).toEqual([]);
  });
});

describe('trouble', () => {
  afterEach(async () => {
    await exchange.pool.query('DROP TRIGGER IF EXISTS trouble ON envelope');
  });
  const trouble = async (body: string) => {
    await exchange.pool.query(`CREATE OR REPLACE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN ${body} RETURN NEW; END $$`);
    await exchange.pool.query(
      'CREATE TRIGGER trouble BEFORE INSERT ON envelope FOR EACH ROW EXECUTE FUNCTION trouble()',
    );
  };

  it('F16: one row that the database refuses holds up none of the others', async () => {
    await trouble(`IF NEW.body = '\\x66' THEN RAISE EXCEPTION 'poison'; END IF;`);
    const poison = envelopeTo(bob!, { body: Buffer.from('f') });
    const good = Array.from({ length: 20 }, () => envelopeTo(bob!));
    const results = await Promise.all([
      send(carol!, ...good.slice(10)),
      send(alice!, ...good.slice(0, 7), poison, ...good.slice(7, 10)),
    ]);
    const failed = results.flat().filter((result) => 'code' in result);
    expect(failed).toEqual([{ id: poison.id, code: 'internal' }]);
    expect(await exchange.rows(bob!)).toHaveLength(20);
  });

  it('F8: a full disk is named, and goes by', async () => {
    await trouble(`RAISE EXCEPTION USING ERRCODE = '53100';`);
    const envelope = envelopeTo(bob!);
    expect(await send(alice!, envelope)).toEqual([{ id: envelope.id, code: 'no-space' }]);
    await exchange.pool.query('DROP TRIGGER trouble ON envelope');
    expect(await send(alice!, envelope)).toMatchObject([{ at: expect.any(Number) as number }]);
  });

  it('F3: a full queue says so at once, and loses nothing of what it took', async () => {
    const lock = await exchange.pool.connect();
    await lock.query('BEGIN');
    await lock.query('LOCK TABLE envelope IN ACCESS EXCLUSIVE MODE');
    const body = Buffer.alloc(1024);
    const senders = [alice!, carol!, await exchange.join(), await exchange.join()];
    const pending = Array.from({ length: 300 }, (_, n) =>
      send(senders[n % 4]!, ...Array.from({ length: 100 }, () => envelopeTo(bob!, { body }))),
    );
    const refused = await Promise.race(pending);
    expect(refused).toHaveLength(100);
    expect(refused[0]).toMatchObject({ code: 'busy', retryAfter: 1 });
    await lock.query('COMMIT');
    lock.release();
    const results = (await Promise.all(pending)).flat();
    const accepted = results.filter((result) => 'at' in result);
    expect(accepted.length).toBeGreaterThanOrEqual(10_000);
    expect(accepted.length).toBeLessThan(30_000);
    expect(await exchange.rows(bob!)).toHaveLength(accepted.length);
  });

  it('I: one account fills no more than its share of the queue', async () => {
    const lock = await exchange.pool.connect();
    await lock.query('BEGIN');
    await lock.query('LOCK TABLE envelope IN ACCESS EXCLUSIVE MODE');
    const second = await exchange.link(alice!);
    const pending = Array.from({ length: 60 }, (_, n) =>
      send([alice!, second][n % 2]!, ...Array.from({ length: 100 }, () => envelopeTo(bob!))),
    );
    expect((await Promise.race(pending))[0]).toMatchObject({ code: 'busy' });
    const other = send(carol!, envelopeTo(bob!));
    await lock.query('COMMIT');
    lock.release();
    expect(await other).toMatchObject([{ at: expect.any(Number) as number }]);
    const accepted = (await Promise.all(pending)).flat().filter((result) => 'at' in result);
    expect(accepted.length).toBeLessThanOrEqual(3_500);
  });

  it('I: a small body does not keep the frame that it came in', async () => {
    const heard: Uint8Array[] = [];
    const listener = {
      ring: () => undefined,
      fresh: ({ body }: { body: Uint8Array }) => void heard.push(body),
    };
    exchange.doorbell.listen(bob!.device, listener);
    const body = Buffer.from(new ArrayBuffer(1024 * 1024), 7, 1);
    await send(alice!, envelopeTo(bob!, { body }));
    exchange.doorbell.silence(bob!.device, listener);
    expect(heard).toHaveLength(1);
    expect(heard[0]!.buffer.byteLength).toBeLessThan(64 * 1024);
  });

  it('I: posts to many devices let others go by, and are limited by what they write', async () => {
    const channel = await exchange.channel([alice!]);
    await exchange.pool.query(
      `INSERT INTO device (id, account, signing_key, created_at)
       SELECT decode(md5($1 || n), 'hex'), $2, '\\x00', now() FROM generate_series(1, 300) AS n`,
      [alice!.device, idBytesOf(alice!.account)],
    );
    let done = 0;
    const heavy = Array.from({ length: 12 }, () =>
      post(alice!, ...Array.from({ length: 16 }, () => postTo(channel))).then((results) => {
        done += results.filter((result) => 'at' in result).length;
      }),
    );
    await send(carol!, envelopeTo(bob!));
    expect(done).toBeLessThanOrEqual(32);
    await Promise.all(heavy);
    expect(done).toBe(12 * 16);

    let copies = 0;
    const limits = {
      take: (kind: string, key: string, points = 1) => {
        if (kind !== 'copies') return;
        expect(key).toBe(alice!.account);
        if (copies + points > 1_000) throw new RelayError('too-many-requests', undefined, { retryAfter: 7 });
        copies += points;
      },
    };
    const limited = await exchange.beside(limits);
    const sent = Array.from({ length: 5 }, () => postTo(channel));
    const results = await limited.mailbox.accept(as(alice!), { envelopes: [], posts: sent });
    await limited.gateway.close();
    expect(results.map((result) => ('at' in result ? 'stored' : result.code))).toEqual([
      ...Array<string>(3).fill('stored'),
      ...Array<string>(2).fill('too-many-requests'),
    ]);
  });

  it('F3: a channel that is locked for long holds up nobody else, and costs one wait', async () => {
    const [held, free] = [await exchange.channel([alice!]), await exchange.channel([alice!, bob!])];
    const lock = await exchange.pool.connect();
    await lock.query('BEGIN');
    await lock.query(`SELECT pg_advisory_xact_lock(${gateOf('$1::bytea')})`, [idBytesOf(held)]);
    const busy = { code: 'busy', retryAfter: 1 };
    const stored = { at: expect.any(Number) as number };
    const begun = Date.now();
    const [one, two] = await Promise.all([
      post(alice!, postTo(held), postTo(free), postTo(held)),
      post(bob!, postTo(free)),
      send(carol!, envelopeTo(bob!)),
    ]);
    expect([...one, ...two]).toMatchObject([busy, stored, busy, stored]);
    const once = Date.now();
    expect(await post(alice!, postTo(held), postTo(free))).toMatchObject([busy, stored]);
    const twice = Date.now();
    await lock.query('COMMIT');
    lock.release();
    expect(await post(alice!, postTo(held), postTo(free))).toMatchObject([stored, stored]);
    expect(once - begun).toBeLessThan(9_000);
    expect(twice - once).toBeLessThan(5_000);
  });

  it('F3: who begins and goes silent loses its locks, and no statement waits past its reader', async () => {
    const show = async (name: string) =>
      Object.values((await exchange.pool.query<Record<string, string>>(`SHOW ${name}`)).rows[0]!)[0];
    expect([await show('idle_in_transaction_session_timeout'), await show('statement_timeout')]).toEqual([
      '5s',
      '28s',
    ]);
  });

  it('I: limits are the sender’s, and name when there is more', async () => {
    const limited = await startExchange({
      limits: {
        take: (kind, _key, points = 1) => {
          if (kind === 'strangers' || (kind === 'send' && points > 3))
            throw new RelayError('too-many-requests', undefined, { retryAfter: 7 });
        },
      },
    });
    const [from, to] = [await limited.join(), await limited.join()];
    const request = envelopeTo(to, { token: undefined });
    const accept = (envelopes: ReturnType<typeof envelopeTo>[]) =>
      limited.mailbox.accept(as(from), { envelopes, posts: [] });
    const one = [...(await accept([request])), ...(await accept([envelopeTo(to)]))];
    const many = await accept([1, 2, 3, 4].map(() => envelopeTo(to)));
    await limited.stop();
    expect(one).toMatchObject([
      { code: 'too-many-requests', retryAfter: 7 },
      { at: expect.any(Number) as number },
    ]);
    expect(many.every((result) => 'code' in result && result.retryAfter === 7)).toBe(true);
  });
});
