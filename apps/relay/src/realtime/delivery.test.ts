import type { IncomingLive } from '@sotto/contract/envelope';
import type { EnvelopeId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type { SendResponse, InboxResponse } from '@sotto/contract/rest/inbox';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { call, connect, idBytesOf, randomId } from '../../test/device.ts';
import { envelopeTo, postTo, startExchange, type Exchange, type Party } from '../../test/exchange.ts';
import { eventually } from '../../test/harness.ts';

let exchange: Exchange;
let [alice, bob]: Party[] = [];
beforeAll(async () => {
  exchange = await startExchange();
});
afterAll(() => exchange.stop());
beforeEach(async () => {
  [alice, bob] = [await exchange.join(), await exchange.join()];
  return () => exchange.hangUp();
});

const online = async (party: Party, options: { acks?: boolean } = {}) => {
  const connection = exchange.dial(party, options);
  await eventually(() =>
    expect(connection.seen.caughtUp.length + connection.seen.delivered.length).toBeGreaterThan(0),
  );
  return connection;
};
const envelopeFor = (party: Party) => envelopeTo(party);
const rowsOf = (party: Party) => exchange.rows(party);
/** Long enough for a delivery that must not come. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 150));
/** More than a socket is handed at once. */
const WAITING = LIMITS.envelopesInFlight + 250;

it('I: who missed removals ends those of devices that are gone or another account’s', async () => {
  const [gone, moved, same] = [await exchange.join(), await exchange.join(), await exchange.join()];
  const lines = [await online(gone), await online(moved), await online(same)];
  await exchange.pool.query('UPDATE device SET removed_at = now() WHERE id = $1', [idBytesOf(gone.device)]);
  await exchange.pool.query('UPDATE device SET account = $2 WHERE id = $1', [
    idBytesOf(moved.device),
    idBytesOf(alice!.account),
  ]);
  await exchange.gateway.check();
  await eventually(() => {
    expect(lines.map(({ seen }) => seen.problems)).toEqual([['device-removed'], ['device-removed'], []]);
  });
});

describe('delivery', () => {
  it('reaches a device that is there, in order, with the time that the sender was told', async () => {
    const [from, to] = [await online(alice!), await online(bob!, { acks: true })];
    const envelopes = [1, 2, 3, 4, 5].map(() => envelopeFor(bob!));
    from.socket.emit('send', { envelopes });
    await eventually(() => expect(to.seen.delivered).toHaveLength(5));
    expect(to.seen.delivered.map(({ id }) => id)).toEqual(envelopes.map(({ id }) => id));
    expect(to.seen.delivered.map(({ body }) => Buffer.from(body))).toEqual(
      envelopes.map(({ body }) => Buffer.from(body)),
    );
    await eventually(() => expect(from.seen.results).toHaveLength(5));
    expect(from.seen.results).toEqual(to.seen.delivered.map(({ id, at }) => ({ id, at })));
    await eventually(async () => expect((await rowsOf(bob!)).every(({ body }) => body === null)).toBe(true));
  });

  it('F10: hands over waiting ones a window at a time, each once, then says so', async () => {
    const from = await online(alice!);
    const envelopes = Array.from({ length: WAITING }, () => envelopeFor(bob!));
    for (let i = 0; i < WAITING; i += 50) from.socket.emit('send', { envelopes: envelopes.slice(i, i + 50) });
    await eventually(() => expect(from.seen.results).toHaveLength(WAITING));

    const slow = await online(bob!);
    await eventually(() => expect(slow.seen.delivered).toHaveLength(LIMITS.envelopesInFlight));
    await settle();
    expect(slow.seen.delivered).toHaveLength(LIMITS.envelopesInFlight);
    expect(slow.seen.caughtUp).toEqual([]);
    slow.socket.emit('ack', { ids: slow.seen.delivered.slice(0, 30).map(({ id }) => id) });
    await eventually(() => expect(slow.seen.delivered).toHaveLength(LIMITS.envelopesInFlight + 30));
    await settle();
    expect(slow.seen.delivered).toHaveLength(LIMITS.envelopesInFlight + 30);
    slow.close();

    const rest = await online(bob!, { acks: true });
    await eventually(() => expect(rest.seen.caughtUp).toEqual([WAITING - 30]));
    const arrival = (await rowsOf(bob!)).map(({ id }) => id.toString('base64url'));
    expect(rest.seen.delivered.map(({ id }) => id)).toEqual(arrival.slice(30));
    expect([...arrival].sort()).toEqual(envelopes.map(({ id }) => id).sort());
    await settle();
    expect(rest.seen.delivered).toHaveLength(WAITING - 30);
  });

  it('F12: a repeated send is one row, one delivery, and the first time', async () => {
    const [from, to] = [await online(alice!), await online(bob!)];
    const envelope = envelopeFor(bob!);
    from.socket.emit('send', { envelopes: [envelope, envelope] });
    from.socket.emit('send', { envelopes: [envelope] });
    await eventually(() => expect(from.seen.results).toHaveLength(3));
    await settle();
    from.socket.emit('send', { envelopes: [envelope, envelopeFor(bob!)] });
    await eventually(() => expect(from.seen.results).toHaveLength(5));
    const rows = await rowsOf(bob!);
    expect(rows).toHaveLength(2);
    const answers = from.seen.results.filter(({ id }) => id === envelope.id);
    expect(answers).toEqual(Array(4).fill({ id: envelope.id, at: Number(rows[0]!.at) }));
    await eventually(() => expect(to.seen.delivered).toHaveLength(2));
    await settle();
    expect(to.seen.delivered).toHaveLength(2);
  });

  it('F12: the same many envelopes from two sockets in opposite orders', async () => {
    const [one, two] = [await online(alice!), await online(alice!)];
    const envelopes = Array.from({ length: 100 }, () => envelopeFor(bob!));
    for (let round = 0; round < 5; round += 1) {
      one.socket.emit('send', { envelopes });
      two.socket.emit('send', { envelopes: envelopes.toReversed() });
    }
    await eventually(() => expect(one.seen.results.length + two.seen.results.length).toBe(1000));
    expect(await rowsOf(bob!)).toHaveLength(100);
    expect([...one.seen.problems, ...two.seen.problems]).toEqual([]);
  });

  it('F1: a retry after the ack is answered as the first time and not delivered again', async () => {
    const [from, to] = [await online(alice!), await online(bob!, { acks: true })];
    const envelope = envelopeFor(bob!);
    from.socket.emit('send', { envelopes: [envelope] });
    await eventually(async () => expect((await rowsOf(bob!))[0]?.body).toBeNull());
    from.socket.emit('send', { envelopes: [envelope] });
    await eventually(() => expect(from.seen.results).toHaveLength(2));
    expect(from.seen.results[1]).toEqual(from.seen.results[0]);
    await settle();
    expect(to.seen.delivered).toHaveLength(1);
    const again = await online(bob!);
    expect(again.seen).toMatchObject({ caughtUp: [0], delivered: [] });
  });

  it('F7: what was not acknowledged comes again over the next connection', async () => {
    const [from, to] = [await online(alice!), await online(bob!)];
    const envelopes = [envelopeFor(bob!), envelopeFor(bob!)];
    from.socket.emit('send', { envelopes });
    await eventually(() => expect(to.seen.delivered).toHaveLength(2));
    to.socket.emit('ack', { ids: [envelopes[0]!.id] });
    await eventually(async () => expect((await rowsOf(bob!))[0]?.body).toBeNull());
    to.close();
    const again = await online(bob!);
    expect(again.seen.delivered.map(({ id }) => id)).toEqual([envelopes[1]!.id]);
  });

  it('I: an ack touches nobody else’s envelopes', async () => {
    const from = await online(alice!);
    const envelope = envelopeFor(bob!);
    from.socket.emit('send', { envelopes: [envelope] });
    await eventually(() => expect(from.seen.results).toHaveLength(1));
    from.socket.emit('ack', { ids: [envelope.id, randomId()] });
    await settle();
    expect((await rowsOf(bob!))[0]!.body).not.toBeNull();
    expect(from.seen.problems).toEqual([]);
  });

  it('I: an ack of what the socket was not sent reaches no database, and is counted', async () => {
    const acked = vi.spyOn(exchange.mailbox, 'submitAcks');
    const [to, from] = [await online(bob!), await online(alice!)];
    const envelope = envelopeFor(bob!);
    from.socket.emit('send', { envelopes: [envelope] });
    await eventually(() => expect(to.seen.delivered).toHaveLength(1));
    const strays = Array.from({ length: LIMITS.idsPerAck - 1 }, () => randomId<EnvelopeId>());
    to.socket.emit('ack', { ids: strays });
    expect(exchange.taken.get(`ack ${bob!.device}`)).toBeUndefined();
    to.socket.emit('ack', { ids: [...strays, envelope.id] });
    await eventually(async () => expect((await rowsOf(bob!))[0]!.body).toBeNull());
    expect(acked.mock.calls.map(([, ids]) => ids)).toEqual([[envelope.id]]);
    expect(exchange.taken.get(`ack ${bob!.device}`)).toBe(2 * strays.length);
    acked.mockRestore();
    await exchange.mailbox.acknowledge(bob!.device, strays.slice(0, 2));
    expect(exchange.taken.get(`ack ${bob!.device}`)).toBe(2 * strays.length + 2);
  });

  it('invariant 5: no column could hold a sender', async () => {
    const { rows } = await exchange.pool.query(
      "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'envelope' ORDER BY 1",
    );
    expect(rows.map(({ name }: { name: string }) => name)).toEqual([
      'acked_day',
      'at',
      'body',
      'device',
      'id',
      'post',
      'request',
      'seq',
    ]);
    const posts = await exchange.pool.query(
      "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'post' ORDER BY 1",
    );
    expect(posts.rows.map(({ name }: { name: string }) => name)).toEqual(['body', 'channel', 'seq']);
  });

  it('invariant 5: of an ack the day is kept, of a post nothing tells its sender', async () => {
    const channel = await exchange.channel([alice!, bob!]);
    const [from, to] = [await online(alice!, { acks: true }), await online(bob!, { acks: true })];
    const sent = postTo(channel);
    from.socket.emit('post', { posts: [sent] });
    await eventually(() => expect(from.seen.delivered.length + to.seen.delivered.length).toBe(2));
    await eventually(async () => expect((await rowsOf(alice!))[0]!.acked_day).not.toBeNull());
    await eventually(async () => expect((await rowsOf(bob!))[0]!.acked_day).not.toBeNull());
    const [mine, theirs] = [(await rowsOf(alice!))[0]!, (await rowsOf(bob!))[0]!];
    for (const row of [mine, theirs])
      expect(row.acked_day).toBe(Math.floor(Date.now() / (24 * 60 * 60 * 1000)));
    expect({ ...mine, device: 0, seq: 0 }).toEqual({ ...theirs, device: 0, seq: 0 });
  });
});

describe('from what waits to what comes', () => {
  it('F10: 3,000 waiting come once each and in order while new ones are sent by two at once', async () => {
    const waiting = Array.from({ length: 3_000 }, () => envelopeTo(bob!));
    const identity = { device: alice!.device, account: alice!.account, expiresAt: Infinity };
    for (let n = 0; n < 3_000; n += 100)
      await exchange.mailbox.accept(identity, { envelopes: waiting.slice(n, n + 100), posts: [] });
    const [one, two] = [await online(alice!), await online(await exchange.join())];
    const later = [one, two].map(() => Array.from({ length: 600 }, () => envelopeTo(bob!)));
    const to = exchange.dial(bob!, { acks: true });
    for (let n = 0; n < 600; n += 10) {
      one.socket.emit('send', { envelopes: later[0]!.slice(n, n + 10) });
      two.socket.emit('send', { envelopes: later[1]!.slice(n, n + 10) });
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await eventually(() => expect(to.seen.delivered.length).toBeGreaterThanOrEqual(4_200));
    await settle();
    const ids = to.seen.delivered.map(({ id }) => id);
    expect(new Set(ids).size).toBe(4_200);
    expect(ids).toHaveLength(4_200);
    expect(ids.filter((id) => waiting.some((one) => one.id === id))).toEqual(waiting.map(({ id }) => id));
    for (const sent of later) {
      const known = new Set(sent.map(({ id }) => id));
      expect(ids.filter((id) => known.has(id))).toEqual(sent.map(({ id }) => id));
    }
    await eventually(async () =>
      expect((await rowsOf(bob!)).filter(({ acked_day: day }) => day === null)).toHaveLength(0),
    );
    expect(to.seen.caughtUp).toHaveLength(1);
  });

  it('F10: bodies ahead of the acks stay below a mebibyte', async () => {
    const body = Buffer.alloc(LIMITS.envelopeBytes, 1);
    const from = await online(alice!);
    for (let n = 0; n < 4; n += 1)
      from.socket.emit('send', { envelopes: Array.from({ length: 10 }, () => envelopeTo(bob!, { body })) });
    await eventually(() => expect(from.seen.results).toHaveLength(40));
    const to = await online(bob!);
    await eventually(() => expect(to.seen.delivered).toHaveLength(15));
    await settle();
    expect(to.seen.delivered).toHaveLength(15);
    expect(to.seen.caughtUp).toEqual([]);
    to.socket.emit('ack', { ids: to.seen.delivered.map(({ id }) => id) });
    await eventually(() => expect(to.seen.delivered).toHaveLength(30));
  });

  it('F10: who sends and does not read is cut off, and memory stays flat', async () => {
    const from = await online(alice!);
    const wire = (from.socket.io.engine as unknown as { transport: { ws: { _socket: { pause(): void } } } })
      .transport.ws;
    wire._socket.pause();
    const noise = from.socket as unknown as { emit: (name: string, value: unknown) => void };
    let sent = 0;
    const more = setInterval(() => {
      for (let n = 0; n < 500; n += 1) noise.emit(`noise ${(sent += 1)}`, 0);
    }, 5);
    try {
      await eventually(() => expect(exchange.doorbell.devices()).not.toContain(alice!.device), 60_000);
    } finally {
      clearInterval(more);
    }
  }, 70_000);

  it('F2: a removal while a socket waits to be let in is heard', async () => {
    const lock = await exchange.pool.connect();
    await lock.query('BEGIN');
    await lock.query('LOCK TABLE device IN ACCESS EXCLUSIVE MODE');
    const { seen } = exchange.dial(bob!);
    await eventually(() => expect(exchange.doorbell.devices()).toContain(bob!.device));
    exchange.gateway.disconnect(bob!.device, 'device-removed');
    await lock.query('COMMIT');
    lock.release();
    await eventually(() => expect(seen.refusals).toEqual(['device-removed']));
    expect(exchange.doorbell.devices()).not.toContain(bob!.device);
  });

  it('what is stored while a socket waits to be let in reaches it', async () => {
    // As if the commit came between the look at the inbox and the socket.
    const look = vi.spyOn(exchange.signIn, 'standing').mockImplementationOnce(async () => {
      const identity = { device: alice!.device, account: alice!.account, expiresAt: Infinity };
      await exchange.mailbox.accept(identity, { envelopes: [envelopeTo(bob!)], posts: [] });
      return { waiting: false };
    });
    const to = exchange.dial(bob!);
    await eventually(() => expect(to.seen.delivered).toHaveLength(1));
    look.mockRestore();
  });

  it('F3: while the database is away the answer is busy; then all is well again', async () => {
    const [from, to] = [await online(alice!), await online(bob!, { acks: true })];
    const envelope = envelopeTo(bob!);
    const end = exchange.pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    from.socket.emit('send', { envelopes: [envelope] });
    await end.catch(() => undefined);
    await eventually(() => expect(from.seen.results).toHaveLength(1));
    if (!('at' in from.seen.results[0]!)) {
      expect(from.seen.results[0]).toMatchObject({ code: 'busy' });
      from.socket.emit('send', { envelopes: [envelope] });
    }
    await eventually(() => expect(to.seen.delivered).toHaveLength(1));
    await eventually(async () => expect((await rowsOf(bob!))[0]!.body).toBeNull());
  });
});

describe('another relay of the same database', () => {
  it('F1: a retry there of what was stored and not told reaches who is connected there', async () => {
    const beside = await exchange.beside();
    const to = connect(beside.port, { token: bob!.token });
    await eventually(() => expect(to.seen.caughtUp).toEqual([0]));
    const [sent, channel] = [envelopeTo(bob!), await exchange.channel([alice!, bob!])];
    const posted = postTo(channel);
    const identity = { device: alice!.device, account: alice!.account, expiresAt: Infinity };
    const both = { envelopes: [sent], posts: [posted] };
    const first = await exchange.mailbox.accept(identity, both);
    await settle();
    expect(to.seen.delivered).toEqual([]);
    expect(await beside.mailbox.accept(identity, both)).toEqual(first);
    await eventually(() => expect(to.seen.delivered).toHaveLength(2));
    to.close();
    await beside.gateway.close();
  });
});

describe('live signals', () => {
  const listen = async (party: Party) => {
    const connection = await online(party);
    const heard: IncomingLive[] = [];
    connection.socket.on('live', ({ envelopes }) => void heard.push(...envelopes));
    return { ...connection, heard };
  };

  it('reach who is there and may be reached; nothing is stored, answered or refused', async () => {
    const own = await exchange.link(alice!);
    const channel = await exchange.channel([alice!, bob!]);
    const foreign = await exchange.channel([bob!]);
    const [from, to, other] = [await listen(alice!), await listen(bob!), await listen(own)];
    const { device, delivery: token } = bob!;
    const body = (text: string) => Buffer.from(text);
    from.socket.emit('live', {
      envelopes: [
        { device, body: body('no pass') },
        { device, token: randomId(), body: body('bad token') },
        { device, channel: foreign, body: body('foreign channel') },
        { device: randomId(), token, body: body('nobody') },
        { device, token, body: body('token') },
        { device, channel, body: body('channel') },
        { device: own.device, body: body('own') },
      ],
      posts: [
        { channel, body: body('post') },
        { channel: foreign, body: body('foreign post') },
      ],
    });
    const texts = ({ heard }: typeof to) => heard.map((live) => Buffer.from(live.body).toString()).sort();
    await eventually(() => expect(texts(to)).toEqual(['channel', 'post', 'token']));
    await eventually(() => expect(texts(other)).toEqual(['own', 'post']));
    expect(to.heard.find((live) => Buffer.from(live.body).toString() === 'post')!.channel).toBe(channel);
    expect([from.heard, from.seen.results, from.seen.problems]).toEqual([[], [], []]);
    expect(exchange.taken.get(`live ${alice!.device}`)).toBe(9);
    expect(exchange.taken.get(`liveBytes ${alice!.device}`)).toBe(68);
    expect(await rowsOf(bob!)).toEqual([]);
  });

  it('`tell` reaches the sockets of a device and no others', async () => {
    const [one, two, other] = [await online(bob!), await online(bob!), await online(alice!)];
    const told: unknown[] = [];
    for (const [n, { socket }] of [one, two, other].entries())
      socket.on('prekeys-low', (event) => void told.push([n, event]));
    exchange.gateway.tell(bob!.device, 'prekeys-low', { oneTime: 3, pqOneTime: 4 });
    await eventually(() => expect(told).toHaveLength(2));
    await settle();
    const low = { oneTime: 3, pqOneTime: 4 };
    expect(told).toEqual([
      [0, low],
      [1, low],
    ]);
  });
});

describe('without a socket', () => {
  const request = (party: Party | undefined, method: string, path: string, body?: unknown) =>
    call(exchange.port, method, path, {
      ...(party && { token: party.token }),
      ...(body !== undefined && { body }),
    });
  const json = <Item extends { body: Uint8Array }>(item: Item) => ({
    ...item,
    body: Buffer.from(item.body).toString('base64url'),
  });

  it('sends, fetches page by page and acknowledges, beside a socket of the same device', async () => {
    const channel = await exchange.channel([alice!, bob!]);
    const to = await online(bob!);
    const large = Array.from({ length: 9 }, () =>
      envelopeTo(bob!, { body: Buffer.alloc(LIMITS.envelopeBytes, 3) }),
    );
    const posted = postTo(channel);
    const sent = await request(alice!, 'POST', '/v1/envelopes', {
      envelopes: large.map(json),
      posts: [json(posted)],
    });
    expect(sent.status).toBe(200);
    const { results } = sent.body as unknown as SendResponse;
    expect(results.map(({ id }) => id)).toEqual([...large, posted].map(({ id }) => id));
    expect(results.every((result) => 'at' in result)).toBe(true);
    await eventually(() => expect(to.seen.delivered).toHaveLength(10));

    const fetch = async () => (await request(bob!, 'GET', '/v1/inbox')).body as unknown as InboxResponse;
    const page = await fetch();
    expect(page.more).toBe(true);
    expect(page.envelopes.map(({ id }) => id)).toEqual(large.slice(0, 8).map(({ id }) => id));
    const { status } = await request(bob!, 'POST', '/v1/inbox/acks', {
      ids: page.envelopes.map(({ id }) => id),
    });
    expect(status).toBe(204);
    const rest = await fetch();
    expect(rest.more).toBe(false);
    expect(rest.envelopes[1]).toEqual({ ...results[9], channel, body: json(posted).body });
  });

  it('I: is refused without a token, and with bad, large or strange bodies', async () => {
    const empty = { envelopes: [], posts: [] };
    const code = async (...args: Parameters<typeof request>) => (await request(...args)).body['code'];
    expect(await code(undefined, 'GET', '/v1/inbox')).toBe('unauthenticated');
    expect(await code(undefined, 'POST', '/v1/envelopes', empty)).toBe('unauthenticated');
    expect(await code(undefined, 'POST', '/v1/inbox/acks', { ids: [randomId()] })).toBe('unauthenticated');
    expect(await code(alice!, 'POST', '/v1/envelopes', { envelopes: [] })).toBe('bad-request');
    const odd = { ...json(envelopeTo(bob!)), body: 'AB' };
    expect(await code(alice!, 'POST', '/v1/envelopes', { envelopes: [odd], posts: [] })).toBe('bad-request');
    expect(await code(alice!, 'POST', '/v1/inbox/acks', { ids: [] })).toBe('bad-request');
    const body = 'A'.repeat(LIMITS.largeRequestBytes);
    expect(await code(alice!, 'POST', '/v1/envelopes', { ...empty, body })).toBe('body-too-large');
    expect((await request(alice!, 'POST', '/v1/envelopes', empty)).body).toEqual({ results: [] });
  });
});
