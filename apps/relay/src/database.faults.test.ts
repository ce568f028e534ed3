import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@sotto/contract/limits';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { openClient, type Client } from '../test/client.ts';
import {
  call,
  connect,
  createDevice,
  idBytesOf,
  join,
  proposeSecond,
  randomId,
  signIn,
} from '../test/device.ts';
import { envelopeTo, type Party } from '../test/exchange.ts';
import { eventually, startRelay, temporaryDatabase, temporaryFolder } from '../test/harness.ts';
import { prepareRelay, settle, type RelayProcess } from '../test/process.ts';
import { aroundCommit, cutAfter, startProxy, STORES } from '../test/proxy.ts';
import { findCluster } from './postgres/launcher.ts';
import { findPostmaster } from './postgres/postmaster.ts';

const FULL = process.env['FAULTS'] === 'full';
const TIMEOUT = FULL ? 15 * 60_000 : 120_000;
const MIB = 1024 * 1024;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
}, 60_000);

const many = <T>(length: number, make: (n: number) => T): T[] => Array.from({ length }, (_, n) => make(n));
const openClients = async (relay: RelayProcess, people: readonly Party[]): Promise<Client[]> => {
  const clients = people.map((party) => openClient(() => relay.port, party, { patience: 60_000 }));
  closers.push(() => clients.forEach((client) => client.close()));
  await eventually(() => expect(clients.every(({ connected }) => connected)).toBe(true));
  return clients;
};
/** Those that were acknowledged, and are not there. */
const missing = async (pool: pg.Pool, clients: readonly Client[]): Promise<string[]> => {
  const { rows } = await pool.query<{ id: Buffer }>('SELECT DISTINCT id FROM envelope');
  const stored = new Set(rows.map(({ id }) => id.toString('base64url')));
  return clients.flatMap(({ accepted }) => [...accepted.keys()]).filter((id) => !stored.has(id));
};
/** A relay whose database is reached by a proxy. `settings` are added to the database's address. */
const behindProxy = async (settings = '') => {
  const database = await temporaryDatabase();
  const people = await settle(database.pool, 12);
  const url = new URL(database.url);
  const proxy = await startProxy(Number(url.port));
  url.port = String(proxy.port);
  const relay = await prepareRelay({ DATABASE_URL: url.href + settings });
  closers.push(
    () => database.close(),
    () => proxy.stop(),
    () => relay.stop(),
  );
  await relay.start();
  return { database, people, proxy, relay };
};
/** Sends small ones without end; stop it before anything is counted. */
const load = (clients: readonly Client[], people: readonly Party[], every = 20) => {
  let n = 0;
  const timer = setInterval(() => {
    for (const client of clients) client.send(envelopeTo(people[n++ % people.length]!));
  }, every);
  return () => clearInterval(timer);
};

describe('a relay with its own PostgreSQL', () => {
  /** On a folder that is given; with people in it. */
  const embedded = async (folder: string) => {
    const relay = await prepareRelay({ SOTTO_DATA: folder });
    closers.push(() => relay.stop());
    await relay.start();
    const pool = new pg.Pool({ ...findCluster(folder), max: 2 });
    pool.on('error', () => undefined);
    pool.on('connect', (client) => void client.on('error', () => undefined));
    const people = await settle(pool, 8);
    closers.push(() => pool.end());
    return { relay, pool, people };
  };

  it(
    'F3: that is killed or stopped at once loses nothing that was acknowledged, is not ready, and ready again',
    async () => {
      const folder = temporaryFolder();
      closers.push(() => folder.remove());
      const data = joinPath(folder.path, 'data');
      const { relay, pool, people } = await embedded(data);
      const clients = await openClients(relay, people);
      for (let round = 0; round < (FULL ? 20 : 2); round += 1) {
        const stop = load(clients, people);
        await sleep(300);
        const server = findPostmaster(joinPath(data, 'postgres', 'cluster'))!;
        const looks: number[] = [];
        let looking = true;
        const look = (async () => {
          while (looking) looks.push(await relay.status());
        })();
        // SIGQUIT is its immediate shutdown: nothing is written down.
        process.kill(server.pid, round % 2 === 0 ? 'SIGKILL' : 'SIGQUIT');
        await eventually(() => expect(looks).toContain(503), 20_000);
        await eventually(() => expect(looks.at(-1)).toBe(200), 40_000);
        looking = false;
        await look;
        stop();
        expect(new Set(looks)).toEqual(new Set([200, 503]));
        await eventually(() => expect(clients.every(({ outbox }) => outbox.size === 0)).toBe(true), 30_000);
        expect(await missing(pool, clients)).toEqual([]);
        const got = clients.map(({ known }) => known().size);
        const { rows } = await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM envelope');
        await eventually(() =>
          expect(clients.reduce((sum, { known }) => sum + known().size, 0)).toBe(rows[0]!.n),
        );
        expect(got.every((size) => size > 0)).toBe(true);
      }
      for (const { codes } of clients) expect([...codes].filter((code) => code !== 'busy')).toEqual([]);
    },
    TIMEOUT,
  );

  /** A file system of its own with `size` bytes, where this may be done. */
  const smallDisk = (size: number): string | undefined => {
    const folder = temporaryFolder();
    const { status } = spawnSync('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${size},mode=755`,
      'sotto',
      folder.path,
    ]);
    if (status !== 0) {
      folder.remove();
      return undefined;
    }
    closers.push(() => {
      spawnSync('umount', ['-l', folder.path]);
      folder.remove();
    });
    return folder.path;
  };

  it(
    'F8: on a full disk says `no-space`, loses nothing that was acknowledged, and recovers when space returns',
    async ({ skip }) => {
      const disk = smallDisk(220 * MIB);
      if (disk === undefined) return skip('no file system can be mounted here (root is needed)');
      const data = joinPath(disk, 'data');
      mkdirSync(data);
      const { relay, pool, people } = await embedded(data);
      const [from] = await openClients(relay, people.slice(0, 1));
      from!.send(envelopeTo(people[1]!));
      await eventually(() => expect(from!.outbox.size).toBe(0));
      const free = statfsSync(disk);
      const left = free.bavail * free.bsize;
      const filler = joinPath(disk, 'filler');
      writeFileSync(filler, Buffer.alloc(left - 6 * MIB));
      for (let n = 0; n < 400 && !from!.codes.has('no-space'); n += 1) {
        from!.send(...many(4, () => envelopeTo(people[1]!, { body: Buffer.alloc(LIMITS.envelopeBytes, n) })));
        await sleep(10);
      }
      await eventually(() => expect([...from!.codes]).toContain('no-space'), 20_000);
      expect(relay.running).toBe(true);
      await sleep(FULL ? 30_000 : 2_000);
      expect(relay.running).toBe(true);
      expect(await relay.status('/healthz')).toBe(200);
      rmSync(filler);
      await eventually(() => expect(from!.outbox.size).toBe(0), 60_000);
      await eventually(async () => expect(await relay.status()).toBe(200), 60_000);
      expect(await missing(pool, [from!])).toEqual([]);
      expect([...from!.codes].filter((code) => !['busy', 'no-space'].includes(code))).toEqual([]);
      const [to] = await openClients(relay, [people[1]!]);
      await eventually(() => expect(to!.known().size).toBe(from!.accepted.size), 30_000);
    },
    TIMEOUT,
  );

  it(
    'F8: whose journal has no room goes down, is not ready, and comes back with all that was acknowledged',
    async ({ skip }) => {
      const disk = smallDisk(160 * MIB);
      if (disk === undefined) return skip('no file system can be mounted here (root is needed)');
      const data = joinPath(disk, 'data');
      mkdirSync(data);
      const { relay, pool, people } = await embedded(data);
      const [from] = await openClients(relay, people.slice(0, 1));
      from!.send(...many(20, () => envelopeTo(people[1]!)));
      await eventually(() => expect(from!.outbox.size).toBe(0));
      const free = statfsSync(disk);
      const filler = joinPath(disk, 'filler');
      writeFileSync(filler, Buffer.alloc(free.bavail * free.bsize - 16 * 1024));
      // It takes another segment of its journal, and there is none.
      for (let n = 0; n < 5 && (await relay.status()) === 200; n += 1) {
        await pool.query('SELECT pg_switch_wal()').catch(() => undefined);
        from!.send(
          ...many(20, () => envelopeTo(people[1]!, { body: Buffer.alloc(LIMITS.envelopeBytes, n) })),
        );
        await sleep(200);
      }
      await eventually(async () => expect(await relay.status()).toBe(503));
      await sleep(FULL ? 70_000 : 3_000);
      expect([relay.running, await relay.status('/healthz')]).toEqual([true, 200]);
      rmSync(filler);
      await eventually(async () => expect(await relay.status()).toBe(200), 70_000);
      await eventually(() => expect(from!.outbox.size).toBe(0), 30_000);
      expect(await missing(pool, [from!])).toEqual([]);
      expect([...from!.codes].filter((code) => !['busy', 'no-space'].includes(code))).toEqual([]);
    },
    TIMEOUT,
  );
});

describe('a database that is', () => {
  it(
    'F3: locked for long: the queue is bounded and says `busy`, memory is flat, nothing acknowledged is lost',
    async () => {
      const { database, people, relay } = await behindProxy(FULL ? '' : '?query_timeout=4000');
      const clients = await openClients(relay, people);
      clients[0]!.send(envelopeTo(people[1]!));
      await eventually(() => expect(clients[0]!.outbox.size).toBe(0));
      const before = relay.rss();
      const lock = await database.pool.connect();
      await lock.query('BEGIN');
      // No connection of the relay may wait that long within a transaction.
      await lock.query('SET LOCAL idle_in_transaction_session_timeout = 0');
      await lock.query('LOCK TABLE envelope IN ACCESS EXCLUSIVE MODE');
      const until = Date.now() + (FULL ? 90_000 : 6_000);
      let [refused, sent, highest] = [0, 0, 0];
      // Far more than the queue holds, never sent again: what is counted is what the relay keeps of it.
      for (const client of clients) {
        client.line.socket.on('accepted', ({ results }) => {
          for (const result of results) if ('code' in result && result.code === 'busy') refused += 1;
        });
      }
      while (Date.now() < until || sent * LIMITS.envelopeBytes <= 300 * MIB) {
        for (const { line } of clients) {
          if (!line.socket.connected || line.socket.io.engine.writeBuffer.length > 20) continue;
          const envelopes = many(8, () =>
            envelopeTo(people[0]!, { body: Buffer.alloc(LIMITS.envelopeBytes) }),
          );
          line.socket.emit('send', { envelopes });
          sent += envelopes.length;
        }
        await sleep(20);
        highest = Math.max(highest, relay.rss());
      }
      expect(refused).toBeGreaterThan(sent / 2);
      expect(highest - before).toBeLessThan(300 * MIB);
      expect(await relay.status('/healthz')).toBe(200);
      await lock.query('COMMIT');
      lock.release();
      await eventually(async () => expect(await relay.status()).toBe(200));
      clients[0]!.send(...many(20, () => envelopeTo(people[2]!)));
      await eventually(() => expect(clients[0]!.outbox.size).toBe(0), 60_000);
      expect(await missing(database.pool, clients)).toEqual([]);
      await eventually(() => expect(clients[2]!.known().size).toBe(20), 60_000);
    },
    TIMEOUT,
  );

  it(
    'F3: slow: everybody is served, in larger batches',
    async () => {
      const { database, people, proxy, relay } = await behindProxy();
      const clients = await openClients(relay, people);
      proxy.way.delay = 100;
      const stop = load(clients, people, 10);
      await sleep(FULL ? 30_000 : 3_000);
      stop();
      await eventually(() => expect(clients.every(({ outbox }) => outbox.size === 0)).toBe(true), 30_000);
      expect(clients.every(({ codes }) => codes.size === 0)).toBe(true);
      expect(await missing(database.pool, clients)).toEqual([]);
      const told = clients.reduce((sum, { accepted }) => sum + accepted.size, 0);
      // Far more than one at a time would be.
      expect(told).toBeGreaterThan(150);
      await eventually(() => expect(clients.reduce((sum, { known }) => sum + known().size, 0)).toBe(told));
    },
    TIMEOUT,
  );

  it(
    'F6: cut off, without a word or with one: not ready, `busy`, then as before',
    async () => {
      const { database, people, proxy, relay } = await behindProxy(FULL ? '' : '?query_timeout=2000');
      const clients = await openClients(relay, people);
      for (let round = 0; round < (FULL ? 6 : 2); round += 1) {
        const stop = load(clients, people, 50);
        await sleep(300);
        if (round % 2 === 0) proxy.way.silent = true;
        else proxy.cut();
        await eventually(async () => expect(await relay.status()).toBe(503));
        expect(await relay.status('/healthz')).toBe(200);
        await eventually(
          () => expect(clients.every(({ codes }) => codes.has('busy'))).toBe(true),
          FULL ? 60_000 : 20_000,
        );
        stop();
        proxy.mend();
        await eventually(async () => expect(await relay.status()).toBe(200), FULL ? 60_000 : 15_000);
        await eventually(() => expect(clients.every(({ outbox }) => outbox.size === 0)).toBe(true), 60_000);
        expect(await missing(database.pool, clients)).toEqual([]);
        for (const { codes } of clients) {
          expect([...codes]).toEqual(['busy']);
          codes.clear();
        }
      }
      const told = clients.reduce((sum, { accepted }) => sum + accepted.size, 0);
      await eventually(
        () => expect(clients.reduce((sum, { known }) => sum + known().size, 0)).toBe(told),
        FULL ? 60_000 : 15_000,
      );
    },
    TIMEOUT,
  );

  it(
    'F6: cut off in the middle of an answer or a question, wherever that is',
    async () => {
      const { database, people, proxy, relay } = await behindProxy('?query_timeout=4000');
      const clients = await openClients(relay, people.slice(0, 4));
      const stop = load(clients, people, 20);
      for (let n = 0; n < (FULL ? 200 : 12); n += 1) {
        const after = Math.floor(Math.random() * 3_000);
        proxy.way[n % 2 === 0 ? 'toServer' : 'toClient'] = cutAfter(after);
        await sleep(60);
        proxy.mend();
        await sleep(60);
      }
      stop();
      await eventually(() => expect(clients.every(({ outbox }) => outbox.size === 0)).toBe(true), 30_000);
      expect(await missing(database.pool, clients)).toEqual([]);
      for (const { codes, accepted } of clients) {
        expect([...codes].filter((code) => code !== 'busy')).toEqual([]);
        for (const times of accepted.values()) expect(times.size).toBe(1);
      }
      expect(relay.running).toBe(true);
      await eventually(async () => expect(await relay.status()).toBe(200));
    },
    TIMEOUT,
  );
});

describe('the lost answer of a commit', () => {
  it(
    'F4: changes nothing: a registration, a device, a channel and a message are made once',
    async () => {
      const database = await temporaryDatabase();
      const url = new URL(database.url);
      const proxy = await startProxy(Number(url.port));
      url.port = String(proxy.port);
      const test = await startRelay({ databaseUrl: url.href });
      closers.push(
        () => database.close(),
        () => proxy.stop(),
        () => test.stop(),
      );
      const { port } = test.relay;
      const alice = await join(test);
      /** Asks, loses the answer of the commit, asks again: refused by name, or found done; then answered alike. */
      const lose = async (ask: () => ReturnType<typeof call>) => {
        const state = aroundCommit(proxy.way, ['COMMIT'], () => 'cut');
        const first = await ask();
        proxy.mend();
        expect(state.seen).toBe(1);
        const [second, third] = [await ask(), await ask()];
        expect(second.status).toBeLessThan(300);
        expect(third.body).toEqual(second.body);
        if (first.status >= 300) expect([first.status, first.body['code']]).toEqual([503, 'busy']);
        else expect(first.body).toEqual(second.body);
      };
      const rows = async (table: string) =>
        (await database.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)).rows[0]!.n;

      const bob = await createDevice(await test.invite());
      await lose(() => call(port, 'POST', '/v1/accounts', { body: bob.registration }));
      expect([await rows('account'), await rows('device')]).toEqual([2, 2]);
      expect((await signIn(port, bob)).status).toBe(200);

      const { token } = alice;
      const { request } = await proposeSecond(alice, alice.signing);
      await lose(() => call(port, 'POST', '/v1/account/events', { token, body: request }));
      expect(await rows('device')).toBe(3);

      const channel = {
        channel: randomId(),
        id: randomId(),
        entry: randomId(100),
        members: [
          { account: alice.account, admin: true },
          { account: bob.account, admin: false },
        ],
      };
      await lose(() => call(port, 'POST', '/v1/channels', { token, body: channel }));
      expect([await rows('channel'), await rows('channel_entry'), await rows('post')]).toEqual([1, 1, 1]);
      const inboxes = await rows('envelope');

      const head = Buffer.from(bob.chain.head).toString('base64url');
      const envelope = { id: randomId(), device: bob.device, head, token: bob.delivery, body: randomId(40) };
      const post = { id: randomId(), channel: channel.channel, epoch: 0, body: randomId(40) };
      for (const [words, body] of [
        [STORES.envelopes, { envelopes: [envelope], posts: [] }],
        [STORES.posts, { envelopes: [], posts: [post] }],
      ] as const) {
        const state = aroundCommit(proxy.way, words, () => 'cut');
        const send = async () =>
          (await call(port, 'POST', '/v1/envelopes', { token, body })).body['results'] as object[];
        expect(await send()).toMatchObject([{ code: 'busy' }]);
        proxy.mend();
        expect(state.seen).toBeGreaterThan(0);
        const [again, more] = [await send(), await send()];
        expect(again).toMatchObject([{ at: expect.any(Number) as number }]);
        expect(more).toEqual(again);
      }
      const ids = await database.pool.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM envelope WHERE id = $1',
        [idBytesOf(envelope.id)],
      );
      expect(ids.rows[0]!.n).toBe(1);
      expect(await rows('envelope')).toBe(inboxes + 1 + 3);
      expect(await rows('post')).toBe(2);
    },
    TIMEOUT,
  );

  it(
    'F4: of a post: who is connected hears of it, also when its sender never comes again',
    async () => {
      const database = await temporaryDatabase();
      const url = new URL(database.url);
      const proxy = await startProxy(Number(url.port));
      url.port = String(proxy.port);
      const test = await startRelay({ databaseUrl: url.href });
      closers.push(
        () => database.close(),
        () => proxy.stop(),
        () => test.stop(),
      );
      const { port } = test.relay;
      const [alice, bob] = [await join(test), await join(test)];
      const channel = randomId();
      const made = await call(port, 'POST', '/v1/channels', {
        token: alice.token,
        body: {
          channel,
          id: randomId(),
          entry: randomId(100),
          members: [
            { account: alice.account, admin: true },
            { account: bob.account, admin: false },
          ],
        },
      });
      expect(made.status).toBeLessThan(300);
      const line = connect(port, { token: bob.token }, { acks: true });
      closers.push(() => line.close());
      await eventually(() => expect(line.seen.delivered).toHaveLength(1));
      aroundCommit(proxy.way, STORES.posts, () => 'cut');
      const post = { id: randomId(), channel, epoch: 0, body: randomId(40) };
      const { body } = await call(port, 'POST', '/v1/envelopes', {
        token: alice.token,
        body: { envelopes: [], posts: [post] },
      });
      expect(body['results']).toMatchObject([{ code: 'busy' }]);
      proxy.mend();
      await eventually(() => expect(line.seen.delivered.map(({ id }) => id)).toContain(post.id));
    },
    TIMEOUT,
  );
});
