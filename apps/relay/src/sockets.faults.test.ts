import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClient } from '../test/client.ts';
import { connect, idBytesOf, randomId } from '../test/device.ts';
import { envelopeTo, postTo, type Party } from '../test/exchange.ts';
import { eventually, temporaryDatabase } from '../test/harness.ts';
import { METRICS_TOKEN, prepareRelay, settle, type RelayProcess } from '../test/process.ts';
import { startProxy } from '../test/proxy.ts';

const FULL = process.env['FAULTS'] === 'full';
const TIMEOUT = FULL ? 15 * 60_000 : 120_000;
const CROWD = FULL ? 2_000 : 300;
const MIB = 1024 * 1024;
/** What Socket.IO waits: for the next ping, and for the answer to it. */
const PING_MS = 25_000 + 20_000;

let database: Awaited<ReturnType<typeof temporaryDatabase>>;
let relay: RelayProcess;
/** Those that tests start beside it. */
const others: RelayProcess[] = [];
let crowd: Party[];
let next = 0;
/** Nobody that another test has. */
const person = (): Party => crowd[next++]!;
const many = <T>(length: number, make: (n: number) => T): T[] => Array.from({ length }, (_, n) => make(n));

beforeAll(async () => {
  database = await temporaryDatabase();
  crowd = await settle(database.pool, CROWD + 50);
  relay = await prepareRelay({ DATABASE_URL: database.url });
  await relay.start();
}, 90_000);
afterAll(async () => {
  for (const one of [relay, ...others]) await one.stop();
  await database.close();
});

const gauge = async (name: string): Promise<number> => {
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
  const text = await (await fetch(`http://127.0.0.1:${relay.port}/metrics`, { headers })).text();
  return Number(new RegExp(`^sotto_${name} (\\d+)`, 'm').exec(text)![1]);
};
const makeChannel = async (members: readonly Party[]): Promise<ChannelId> => {
  const channel = randomId<ChannelId>();
  await database.pool.query('INSERT INTO channel (id, epoch) VALUES ($1, 1)', [idBytesOf(channel)]);
  await database.pool.query(
    'INSERT INTO channel_member (channel, account, admin, joined) SELECT $1, id, false, true FROM unnest($2::bytea[]) AS id',
    [idBytesOf(channel), members.map(({ account }) => idBytesOf(account))],
  );
  return channel;
};
const pauseReading = ({ socket }: ReturnType<typeof connect>): void => {
  const engine = socket.io.engine as unknown as { transport: { ws: { _socket: { pause(): void } } } };
  engine.transport.ws._socket.pause();
};

// Beside each other: most of it is waiting.
describe.concurrent('a connection', () => {
  it(
    'F7: that is half open is noticed within the ping timeout by both, and goes on after the last acknowledged',
    async () => {
      const [alice, bob] = [person(), person()];
      const proxy = await startProxy(relay.port);
      const from = openClient(() => relay.port, alice);
      const to = connect(proxy.port, { token: bob.token });
      await eventually(() => expect([to.seen.caughtUp, from.connected]).toEqual([[0], true]));
      expect(await gauge('connections')).toBe(2);
      const first = many(5, () => envelopeTo(bob));
      from.send(...first);
      await eventually(() => expect(to.seen.delivered).toHaveLength(5));
      to.socket.emit('ack', { ids: first.slice(0, 3).map(({ id }) => id) });
      await eventually(async () => {
        const { rows } = await database.pool.query(
          'SELECT FROM envelope WHERE device = $1 AND acked_day IS NOT NULL',
          [idBytesOf(bob.device)],
        );
        expect(rows).toHaveLength(3);
      });
      proxy.way.silent = true;
      const began = Date.now();
      const missed = many(5, () => envelopeTo(bob));
      from.send(...missed);
      await eventually(() => expect(from.outbox.size).toBe(0));
      // The proxy keeps its end open: nothing but the pings can tell.
      await eventually(() => expect(to.seen.disconnects).toEqual(['ping timeout']), PING_MS + 5_000);
      expect(Date.now() - began).toBeLessThan(PING_MS + 5_000);
      // Of this relay only the sender is left.
      await eventually(async () => expect(await gauge('connections')).toBe(1), PING_MS + 5_000);
      expect(Date.now() - began).toBeLessThan(PING_MS + 5_000);
      proxy.mend();
      const again = connect(proxy.port, { token: bob.token }, { acks: true });
      await eventually(() => expect(again.seen.caughtUp).toEqual([7]));
      const ids = [...first.slice(3), ...missed].map(({ id }) => id);
      expect(again.seen.delivered.map(({ id }) => id)).toEqual(ids);
      again.close();
      from.close();
      proxy.stop();
    },
    TIMEOUT,
  );

  it(
    'F6: that is partitioned for a while loses and doubles nothing in either direction',
    async () => {
      const [alice, bob] = [person(), person()];
      const own = await prepareRelay({ DATABASE_URL: database.url });
      others.push(own);
      await own.start();
      const proxy = await startProxy(own.port);
      const way = () => proxy.port;
      const [one, two] = [
        openClient(way, alice, { patience: 1_000 }),
        openClient(way, bob, { patience: 1_000 }),
      ];
      const sent = { one: 0, two: 0 };
      const rounds = FULL ? 30 : 4;
      for (let round = 0; round < rounds; round += 1) {
        const load = setInterval(() => {
          one.send(envelopeTo(bob));
          two.send(envelopeTo(alice));
          sent.one += 1;
          sent.two += 1;
        }, 10);
        await sleep(300);
        proxy.way.silent = round % 2 === 0;
        if (round % 2 === 1) proxy.cut();
        await sleep(FULL ? 5_000 : 1_000);
        clearInterval(load);
        proxy.cut();
        proxy.mend();
      }
      await eventually(() => expect(one.outbox.size + two.outbox.size).toBe(0), 60_000);
      await eventually(() => expect([two.known().size, one.known().size]).toEqual([sent.one, sent.two]));
      const { rows } = await database.pool.query('SELECT FROM envelope WHERE device = ANY($1)', [
        [idBytesOf(alice.device), idBytesOf(bob.device)],
      ]);
      expect(rows).toHaveLength(sent.one + sent.two);
      for (const { accepted } of [one, two])
        for (const times of accepted.values()) expect(times.size).toBe(1);
      one.close();
      two.close();
      proxy.stop();
    },
    TIMEOUT,
  );
});

describe('a reader that does not read', () => {
  it(
    'F10: costs no memory and nobody else, and finds its mail at the next connect',
    async () => {
      const [deaf, alice, bob] = [person(), person(), person()];
      const channel = await makeChannel([deaf, alice, bob]);
      const before = connect(relay.port, { token: deaf.token });
      await eventually(() => expect(before.seen.caughtUp).toEqual([0]));
      pauseReading(before);
      const from = openClient(() => relay.port, alice, { patience: 30_000 });
      const to = openClient(() => relay.port, bob);
      await eventually(() => expect(from.connected && to.connected).toBe(true));
      const rss = relay.rss();
      let highest = rss;
      const body = Buffer.alloc(LIMITS.envelopeBytes, 1);
      const rounds = FULL ? 600 : 60;
      const waits: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        from.send(...many(12, () => envelopeTo(deaf, { body })));
        for (let n = 0; n < 50; n += 1)
          from.line.socket.emit('live', {
            envelopes: [{ device: deaf.device, token: deaf.delivery, body: Buffer.alloc(1_000) } as never],
            posts: [],
          });
        from.post(postTo(channel));
        const [began, one] = [Date.now(), envelopeTo(bob)];
        from.send(one);
        await eventually(() => expect(to.known()).toContain(one.id));
        waits.push(Date.now() - began);
        highest = Math.max(highest, relay.rss());
      }
      await eventually(() => expect(from.outbox.size).toBe(0));
      // 45 MiB went its way, of which a socket's share may be in memory, and what a collection comes by later.
      expect(highest - rss).toBeLessThan(160 * MIB);
      expect(waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.9)]).toBeLessThan(1_500);
      before.close();
      const again = openClient(() => relay.port, deaf);
      await eventually(() => expect(again.known().size).toBe(rounds * 13), FULL ? 120_000 : 30_000);
      for (const client of [again, from, to]) client.close();
    },
    TIMEOUT,
  );

  it(
    'F10: that asks on and on is cut off at its cap, and memory stays flat',
    async () => {
      const deaf = person();
      const line = connect(relay.port, { token: deaf.token });
      await eventually(() => expect(line.seen.caughtUp).toEqual([0]));
      const connected = await gauge('connections');
      const rss = relay.rss();
      let highest = rss;
      pauseReading(line);
      const noise = line.socket as unknown as { emit: (name: string, value: unknown) => void };
      const until = Date.now() + 60_000;
      for (let n = 0; (await gauge('connections')) >= connected && Date.now() < until;) {
        for (const end = n + 2_000; n < end; n += 1) noise.emit(`noise ${n}`, 0);
        await sleep(10);
        highest = Math.max(highest, relay.rss());
      }
      expect(await gauge('connections')).toBe(connected - 1);
      expect(highest - rss).toBeLessThan(100 * MIB);
      line.close();
    },
    TIMEOUT,
  );
});

describe('everybody', () => {
  it(
    'F11: comes back at once after the relay was killed, and is served; what waited arrives',
    async () => {
      const people = crowd.slice(50);
      const clients = people.map((party) => openClient(() => relay.port, party, { patience: 60_000 }));
      await eventually(() => expect(clients.every(({ connected }) => connected)).toBe(true), 60_000);
      for (let round = 0; round < (FULL ? 5 : 1); round += 1) {
        await relay.kill();
        // Each has something to send as it comes back. What was not acknowledged before may come once more.
        const sent = clients.map((client, n) => {
          const envelope = envelopeTo(people[(n + 1) % people.length]!);
          client.send(envelope);
          return envelope.id;
        });
        await relay.start();
        await eventually(() => {
          expect(clients.filter(({ connected }) => !connected)).toHaveLength(0);
          expect(clients.filter(({ outbox }) => outbox.size > 0)).toHaveLength(0);
          expect(clients.filter(({ known }, n) => !known().has(sent.at(n - 1)!))).toHaveLength(0);
        }, 60_000);
        expect(await relay.status()).toBe(200);
      }
      for (const client of clients) client.close();
    },
    TIMEOUT,
  );
});
