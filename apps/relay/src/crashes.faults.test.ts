import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelId } from '@sotto/contract/ids';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openClient, type Client } from '../test/client.ts';
import { idBytesOf, randomId } from '../test/device.ts';
import { envelopeTo, postTo, type Party } from '../test/exchange.ts';
import { eventually, temporaryDatabase } from '../test/harness.ts';
import { prepareRelay, settle, type RelayProcess } from '../test/process.ts';
import { aroundCommit, names, startProxy, STORES, type Proxy } from '../test/proxy.ts';

const FULL = process.env['FAULTS'] === 'full';
const PEOPLE = 30;
const TIMEOUT = FULL ? 15 * 60_000 : 90_000;

let database: Awaited<ReturnType<typeof temporaryDatabase>>;
let proxy: Proxy;
let relay: RelayProcess;
/** Another of the same database, with a way of its own. */
let other: RelayProcess;
let people: Party[];
let channel: ChannelId;
const clients: Client[] = [];

const open = (party: Party, options: { port?: () => number; patience?: number } = {}): Client => {
  const client = openClient(options.port ?? (() => relay.port), party, options);
  clients.push(client);
  return client;
};
const openAll = async (): Promise<Client[]> => {
  const opened = people.map((party) => open(party));
  await eventually(() => expect(opened.every((client) => client.ups > 0)).toBe(true));
  return opened;
};
const empty = () => database.pool.query('TRUNCATE envelope, post');
/** Rows in all, and those that nobody has acknowledged. */
const count = async () => {
  const { rows } = await database.pool.query<{ rows: number; waiting: number; posts: number }>(
    `SELECT count(*)::int AS rows, (count(*) FILTER (WHERE acked_day IS NULL))::int AS waiting,
            (SELECT count(*)::int FROM post) AS posts FROM envelope`,
  );
  return rows[0]!;
};
const many = <T>(length: number, make: (n: number) => T): T[] => Array.from({ length }, (_, n) => make(n));

beforeAll(async () => {
  database = await temporaryDatabase();
  const url = new URL(database.url);
  people = await settle(database.pool, PEOPLE);
  channel = randomId<ChannelId>();
  await database.pool.query('INSERT INTO channel (id, epoch) VALUES ($1, 1)', [idBytesOf(channel)]);
  await database.pool.query(
    'INSERT INTO channel_member (channel, account, admin, joined) SELECT $1, id, false, true FROM account',
    [idBytesOf(channel)],
  );
  proxy = await startProxy(Number(url.port));
  url.port = String(proxy.port);
  relay = await prepareRelay({ DATABASE_URL: url.href });
  other = await prepareRelay({ DATABASE_URL: database.url });
  await Promise.all([relay.start(), other.start()]);
}, 90_000);
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  proxy.mend();
  proxy.release();
  if (!relay.running) await relay.start();
  await empty();
});
afterAll(async () => {
  await relay.stop();
  await other.stop();
  proxy.stop();
  await database.close();
});

/** What is sent in a way, the names of its statements, and how many rows it makes. */
const sendEnvelopes = (length: number) => (from: Client) => {
  const made = many(length, (n) => envelopeTo(people[1 + (n % 4)]!));
  from.send(...made);
  return made.map(({ id }) => id);
};
const kinds = [
  { kind: 'envelopes', words: STORES.envelopes, rows: 40, send: sendEnvelopes(40) },
  { kind: 'few envelopes', words: STORES.envelopes, rows: 3, send: sendEnvelopes(3) },
  {
    kind: 'posts',
    words: STORES.posts,
    rows: 10 * PEOPLE,
    send: (from: Client) => {
      const made = many(10, () => postTo(channel));
      from.post(...made);
      return made.map(({ id }) => id);
    },
  },
];

describe.each(kinds)('$kind and a relay that is killed', ({ words, rows, send }) => {
  const readAll = async (ids: readonly string[]): Promise<void> => {
    const readers = people.slice(1).map((party) => open(party));
    await eventually(async () => expect((await count()).waiting).toBe(0), 30_000).catch(() => undefined);
    const got = readers.flatMap(({ delivered }) => delivered);
    const expected = await database.pool.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM envelope WHERE device <> $1',
      [idBytesOf(people[0]!.device)],
    );
    expect(got).toHaveLength(expected.rows[0]!.n);
    expect(new Set(got.map(({ id }) => id))).toEqual(new Set(ids));
    for (const { delivered, known } of readers) expect(known().size).toBe(delivered.length);
  };

  it(
    'F1: before the commit stores nothing; the same again is one row, delivered once',
    async () => {
      const from = open(people[0]!);
      await eventually(() => expect(from.connected).toBe(true));
      let reached = false;
      proxy.way.toServer = (bytes) => {
        if (!names(bytes, words)) return 'pass';
        reached = true;
        return 'drop';
      };
      const ids = send(from);
      await eventually(() => expect(reached).toBe(true));
      await relay.kill();
      expect(await count()).toMatchObject({ rows: 0, posts: 0 });
      expect(from.accepted.size).toBe(0);
      proxy.mend();
      await relay.start();
      await eventually(() => expect(from.outbox.size).toBe(0), 30_000);
      expect((await count()).rows).toBe(rows);
      await readAll(ids);
    },
    TIMEOUT,
  );

  it(
    'F1: after the commit and before the ack has stored it; the same again is told the first time, delivered once',
    async () => {
      const from = open(people[0]!);
      await eventually(() => expect(from.connected).toBe(true));
      const seen = aroundCommit(proxy.way, words, () => 'drop');
      const ids = send(from);
      await eventually(() => expect(seen.seen).toBeGreaterThan(0));
      await eventually(async () => expect((await count()).rows).toBe(rows));
      await relay.kill();
      expect(from.accepted.size).toBe(0);
      proxy.mend();
      const times = new Set(
        (await database.pool.query<{ at: string }>('SELECT at FROM envelope')).rows.map(({ at }) =>
          Number(at),
        ),
      );
      await relay.start();
      await eventually(() => expect(from.outbox.size).toBe(0), 30_000);
      expect((await count()).rows).toBe(rows);
      for (const told of from.accepted.values())
        expect([...times]).toEqual(expect.arrayContaining([...told]));
      await readAll(ids);
      // And once more, to a relay that knows all of it.
      const again = [...from.accepted.keys()];
      expect(new Set(again)).toEqual(new Set(ids));
    },
    TIMEOUT,
  );
});

describe('a relay that is killed', () => {
  it(
    'F1: in the middle of fanning out loses nothing of what it acknowledged, and everybody has all of it',
    async () => {
      const rounds = FULL ? 25 : 3;
      for (let round = 0; round < rounds; round += 1) {
        await empty();
        const all = await openAll();
        const senders = all.slice(0, 3);
        const posts = senders.flatMap((sender) => {
          const made = many(20, () => postTo(channel, { body: Buffer.alloc(2_000, 0xff - round) }));
          for (let n = 0; n < 20; n += 5) sender.post(...made.slice(n, n + 5));
          return made.map(({ id }) => id);
        });
        await eventually(() => expect(all.some(({ delivered }) => delivered.length > 0)).toBe(true));
        await sleep(Math.random() * 8);
        await relay.kill();
        const told = senders.flatMap(({ accepted }) => [...accepted.keys()]);
        const kept = await database.pool.query<{ id: Buffer }>('SELECT DISTINCT id FROM envelope');
        const stored = new Set(kept.rows.map(({ id }) => id.toString('base64url')));
        expect(told.filter((id) => !stored.has(id))).toEqual([]);
        await relay.start();
        await eventually(() => {
          expect(senders.every(({ outbox }) => outbox.size === 0)).toBe(true);
          for (const client of all) expect(client.known()).toEqual(new Set(posts));
        }, 30_000);
        expect((await count()).rows).toBe(posts.length * PEOPLE);
        await eventually(async () => expect(await count()).toMatchObject({ waiting: 0, posts: 0 }));
        // The order is the relay's, also of what came twice, and to a sender no id has two times.
        const order = new Map(all[0]!.delivered.map(({ id, at }) => [id, at]));
        for (const { delivered, accepted } of all) {
          for (const { id, at } of delivered) expect(at).toBe(order.get(id));
          for (const times of accepted.values()) expect(times.size).toBe(1);
        }
        for (const client of clients.splice(0)) client.close();
      }
    },
    TIMEOUT,
  );

  it(
    'F12: after a new start the same sends by others and again by the same are one delivery',
    async () => {
      const [from, to] = [open(people[0]!), open(people[1]!)];
      const made = many(30, () => envelopeTo(people[1]!));
      from.send(...made);
      await eventually(() => expect(to.known().size).toBe(30));
      await eventually(async () => expect((await count()).waiting).toBe(0));
      await relay.kill();
      await relay.start();
      const replayed = [
        from,
        open(people[0]!),
        open(people[2]!),
        open(people[0]!, { port: () => other.port }),
      ];
      for (const client of replayed) client.send(...made, ...made.toReversed());
      await eventually(() => expect(replayed.every(({ outbox }) => outbox.size === 0)).toBe(true));
      for (const { accepted } of replayed)
        for (const { id, at } of to.delivered) expect([...accepted.get(id)!]).toEqual([at]);
      await sleep(200);
      expect(to.delivered).toHaveLength(30);
      expect((await count()).rows).toBe(30);
    },
    TIMEOUT,
  );
});

describe('a relay that is frozen', () => {
  it(
    'F2: and thawed has lost and doubled nothing, and its late writes do no harm to who went on elsewhere',
    async () => {
      const home = { port: relay.port };
      const [from, stayer] = [open(people[0]!, { port: () => home.port, patience: 1_500 }), open(people[3]!)];
      const to = open(people[1]!, { port: () => other.port });
      await eventually(() => expect(from.connected && to.connected && stayer.connected).toBe(true));
      const made = many(60, (n) => envelopeTo(people[n % 2 === 0 ? 1 : 2]!));
      // Underway to the database when it freezes.
      let underway = false;
      proxy.way.toServer = (bytes) => {
        if (!names(bytes, STORES.envelopes)) return 'pass';
        underway = true;
        return 'hold';
      };
      from.send(...made.slice(0, 30));
      await eventually(() => expect(underway).toBe(true));
      relay.freeze();
      // These wait in its sockets.
      from.send(...made.slice(30));
      const late = many(10, () => envelopeTo(people[2]!));
      stayer.send(...late);
      home.port = other.port;
      await eventually(() => expect(from.outbox.size).toBe(0), 30_000);
      expect((await count()).rows).toBe(60);
      await sleep(FULL ? 60_000 : 6_000);
      proxy.mend();
      proxy.release();
      relay.thaw();
      await eventually(() => expect(stayer.outbox.size).toBe(0), 60_000);
      await eventually(async () => expect((await count()).rows).toBe(70));
      const reader = open(people[2]!);
      await eventually(() => expect(reader.known().size).toBe(40));
      expect(to.known().size).toBe(30);
      await sleep(300);
      expect([to.delivered.length, reader.delivered.length]).toEqual([30, 40]);
      for (const times of from.accepted.values()) expect(times.size).toBe(1);
      expect(await relay.status()).toBe(200);
    },
    TIMEOUT,
  );
});

describe('a relay that is asked to end', () => {
  it(
    'F19: under load drains: what it acknowledged is stored, the rest is sent again to the next',
    async () => {
      const rounds = FULL ? 10 : 1;
      for (let round = 0; round < rounds; round += 1) {
        await empty();
        const all = await openAll();
        let sent = 0;
        const load = setInterval(() => {
          for (const client of all.slice(0, 10)) {
            client.send(...many(5, () => envelopeTo(people[10 + (sent++ % 20)]!)));
            if (sent % 100 === 0) client.post(postTo(channel));
          }
        }, 10);
        await sleep(1_000);
        await eventually(() =>
          expect(all.reduce((sum, { accepted }) => sum + accepted.size, 0)).toBeGreaterThan(100),
        );
        const began = Date.now();
        const code = await relay.terminate();
        clearInterval(load);
        expect(code).toBe(0);
        expect(Date.now() - began).toBeLessThan(15_000);
        const told = all.flatMap(({ accepted }) => [...accepted.keys()]);
        expect(told.length).toBeGreaterThan(100);
        const { rows } = await database.pool.query<{ id: Buffer }>('SELECT DISTINCT id FROM envelope');
        const stored = new Set(rows.map(({ id }) => id.toString('base64url')));
        expect(told.filter((id) => !stored.has(id))).toEqual([]);
        await relay.start();
        await eventually(() => expect(all.every(({ outbox }) => outbox.size === 0)).toBe(true), 30_000);
        await eventually(async () => expect(await count()).toMatchObject({ waiting: 0, posts: 0 }), 30_000);
        for (const client of clients.splice(0)) client.close();
      }
    },
    TIMEOUT,
  );
});
