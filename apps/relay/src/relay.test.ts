import { spawn, type ChildProcess } from 'node:child_process';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join as joinPath, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseLink } from '@sotto/contract/link';
import { beforeEach, describe, expect, it } from 'vitest';
import { call, connect, createDevice, envelopeFor, join, signIn } from '../test/device.ts';
import { eventually, freePort, startRelay, temporaryDatabase, temporaryFolder } from '../test/harness.ts';
import { USAGE } from './admin.ts';
import { readConfig } from './config.ts';
import { findPostmaster } from './postgres/postmaster.ts';
import { createRelay } from './relay.ts';
import { removeDevice } from './services/devices.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
let data: string;
const children = new Set<ChildProcess>();
beforeEach(() => {
  const temporary = temporaryFolder();
  data = temporary.path;
  return async () => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
    const server = findPostmaster(joinPath(data, 'postgres', 'cluster'));
    if (server) process.kill(server.pid, 'SIGQUIT');
    while (findPostmaster(joinPath(data, 'postgres', 'cluster'))) await sleep(20);
    temporary.remove();
  };
});

/** `main.ts` in a process of its own; `lines` grows with what it prints. */
const run = (env: Record<string, string>, ...args: string[]) => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'apps/relay/src/main.ts', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], SOTTO_DATA: data, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  const ended = new Promise<number | null>((done) => child.on('close', (code) => done(code)));
  return { child, lines, ended };
};
const start = async (port: number) => {
  const relay = run({ PORT: String(port) });
  await eventually(() => expect(relay.lines.join('\n')).toContain('Sotto is ready'), 40_000);
  return relay;
};
const inviteLine = (lines: string[]) => lines.map((line) => /http\S+#\S+/.exec(line)?.[0]).find(Boolean);

describe('the relay as a program', () => {
  it(
    'F1: killed at any moment, it adopts its database and keeps what it acknowledged',
    { timeout: 60_000 },
    async () => {
      const port = await freePort();
      const first = await start(port);
      const link = await eventually(() => {
        const found = inviteLine(first.lines);
        expect(found).toBeDefined();
        return found!;
      });
      const file = joinPath(data, 'first-invite');
      expect(statSync(file).mode & 0o777).toBe(0o600);

      const keys = await createDevice(parseLink(link)!.invite!);
      const registered = await call(port, 'POST', '/v1/accounts', { body: keys.registration });
      expect(registered.status).toBe(201);
      expect(existsSync(file)).toBe(false);
      const { token } = (await signIn(port, keys)).body as { token: string };
      const from = connect(port, { token });
      await eventually(() => expect(from.seen.caughtUp).toEqual([0]));
      // Killed in the middle of a stream of sends.
      const sending = setInterval(() => {
        from.socket.emit('send', { envelopes: Array.from({ length: 10 }, () => envelopeFor(keys.device)) });
      }, 1);
      await eventually(() => expect(from.seen.results.length).toBeGreaterThan(200));
      first.child.kill('SIGKILL');
      await first.ended;
      clearInterval(sending);
      from.close();
      const orphan = findPostmaster(joinPath(data, 'postgres', 'cluster'));
      expect(orphan?.ready).toBe(true);

      const second = await start(port);
      expect(findPostmaster(joinPath(data, 'postgres', 'cluster'))?.pid).toBe(orphan!.pid);
      const back = connect(port, { token }, { acks: true });
      await eventually(() => expect(back.seen.caughtUp).toHaveLength(1));
      const arrived = new Map(back.seen.delivered.map(({ id, at }) => [id, at]));
      expect(arrived.size).toBe(back.seen.delivered.length);
      for (const result of from.seen.results)
        expect(result).toEqual({ id: result.id, at: arrived.get(result.id) });
      expect(inviteLine(second.lines)).toBeUndefined();
      back.close();

      // F19: a normal end stops the adopted database too.
      second.child.kill('SIGTERM');
      expect(await second.ended).toBe(0);
      expect(findPostmaster(joinPath(data, 'postgres', 'cluster'))).toBeUndefined();
    },
  );

  it('prints the same first invite at every start until it is used', { timeout: 60_000 }, async () => {
    const port = await freePort();
    const links: (string | undefined)[] = [];
    for (let i = 0; i < 2; i += 1) {
      const relay = await start(port);
      await eventually(() => expect(inviteLine(relay.lines)).toBeDefined());
      links.push(inviteLine(relay.lines));
      relay.child.kill('SIGINT');
      expect(await relay.ended).toBe(0);
    }
    expect(links[0]).toBe(links[1]);
    expect(links[0]).toContain(readFileSync(joinPath(data, 'first-invite'), 'utf8').trim());
  });

  it('says in one line that its port or its data folder is taken', { timeout: 60_000 }, async () => {
    const port = await freePort();
    await start(port);
    const samePort = run({ PORT: String(port) });
    expect(await samePort.ended).toBe(1);
    expect(samePort.lines).toEqual([`Port ${port} is in use. Set PORT to another one.`]);
    const sameFolder = run({ PORT: '0' });
    expect(await sameFolder.ended).toBe(1);
    expect(sameFolder.lines).toEqual([`Another relay is running on ${data}.`]);
    expect((await call(port, 'GET', '/readyz')).status).toBe(200);
  });

  it('takes the host’s commands beside a running relay and without one', { timeout: 60_000 }, async () => {
    const port = await freePort();
    const tooSoon = run({ PORT: String(port) }, 'invite');
    expect(await tooSoon.ended).toBe(1);
    expect(tooSoon.lines).toEqual([
      'The database is not of this release yet. Start the relay once, then try again.',
    ]);
    const once = await start(port);
    once.child.kill('SIGTERM');
    expect(await once.ended).toBe(0);
    const alone = run({ PORT: String(port) }, 'invite');
    expect(await alone.ended).toBe(0);
    expect(findPostmaster(joinPath(data, 'postgres', 'cluster'))).toBeUndefined();

    await start(port);
    const keys = await createDevice(parseLink(alone.lines[0]!)!.invite!);
    expect((await call(port, 'POST', '/v1/accounts', { body: keys.registration })).status).toBe(201);
    const { token } = (await signIn(port, keys)).body as { token: string };
    const socket = connect(port, { token });
    await eventually(() => expect(socket.seen.caughtUp).toEqual([0]));
    const removal = run({}, 'devices', 'remove', keys.device);
    expect(await removal.ended).toBe(0);
    expect(removal.lines).toEqual(['Removed.']);
    await eventually(() => expect(socket.seen.disconnects).toEqual(['io server disconnect']));
    expect(socket.seen.problems).toEqual(['device-removed']);

    const nonsense = run({}, 'devices', 'remove', 'x');
    expect(await nonsense.ended).toBe(1);
    expect(nonsense.lines).toEqual(USAGE.split('\n'));
  });
});

/** A way to a port that can be cut: `cut` breaks every connection and refuses new ones until `mend`. */
const breakable = async (to: number) => {
  const sockets = new Set<Socket>();
  const server = createServer((inward) => {
    const outward = createConnection(to, '127.0.0.1');
    for (const socket of [inward, outward]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => [inward, outward].forEach((end) => end.destroy()));
    }
    inward.pipe(outward).pipe(inward);
  });
  const listen = (port: number) => new Promise<void>((done) => void server.listen(port, '127.0.0.1', done));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const cut = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    });
  return { port, cut, mend: () => listen(port) };
};

describe('the relay and its system', () => {
  it.skipIf(!existsSync('/proc/self/limits'))(
    'F19: out of open files it closes what comes and serves on',
    async () => {
      const [port, database] = [await freePort(), await temporaryDatabase()];
      const relay = spawn(
        '/bin/sh',
        ['-c', 'ulimit -n 160 && exec "$0" --import tsx apps/relay/src/main.ts', process.execPath],
        {
          cwd: ROOT,
          env: {
            PATH: process.env['PATH'],
            SOTTO_DATA: joinPath(data, 'files'),
            DATABASE_URL: database.url,
            PORT: String(port),
          },
          stdio: 'ignore',
        },
      );
      children.add(relay);
      const ended = new Promise((done) => relay.on('close', done));
      const status = async () =>
        (await call(port, 'GET', '/readyz', { headers: { connection: 'close' } })).status;
      await eventually(async () => expect(await status()).toBe(200), 40_000);
      let closed = 0;
      const crowd = Array.from({ length: 300 }, () => createConnection(port, '127.0.0.1'));
      for (const socket of crowd) socket.on('error', () => undefined).on('close', () => (closed += 1));
      await eventually(() => expect(closed).toBeGreaterThan(150));
      expect(relay.exitCode).toBeNull();
      for (const socket of crowd) socket.destroy();
      await eventually(async () => expect(await status()).toBe(200));
      relay.kill('SIGTERM');
      expect(await ended).toBe(0);
      await database.close();
    },
    90_000,
  );
});

describe('the relay and its database', () => {
  it('F6: cut off, everybody hears `busy`, sends are not acknowledged; then all is well', async () => {
    const database = await temporaryDatabase();
    const url = new URL(database.url);
    const way = await breakable(Number(url.port));
    url.port = String(way.port);
    const test = await startRelay({ databaseUrl: url.href });
    const { port } = test.relay;
    const invite = await test.invite();
    const alice = await join(test);
    const socket = connect(port, { token: alice.token });
    await eventually(() => expect(socket.seen.caughtUp).toEqual([0]));
    const answers = async () => {
      const ready = await call(port, 'GET', '/readyz');
      const check = await call(port, 'POST', '/v1/invites/check', { body: { invite } });
      return [ready, check].map(({ status, body }) => body['code'] ?? status);
    };

    const early = envelopeFor(alice.device);
    socket.socket.emit('send', { envelopes: [early] });
    await eventually(() => expect(socket.seen.delivered).toHaveLength(1));

    await way.cut();
    expect(await answers()).toEqual(['busy', 'busy']);
    expect((await call(port, 'GET', '/healthz')).status).toBe(200);
    const envelope = envelopeFor(alice.device);
    socket.socket.emit('send', { envelopes: [envelope] });
    await eventually(() => expect(socket.seen.results).toHaveLength(2));
    expect(socket.seen.results[1]).toMatchObject({ id: envelope.id, code: 'busy' });
    // An ack that fails must not keep its place in the window.
    socket.socket.emit('ack', { ids: [early.id] });
    await eventually(() => expect(new Set(socket.seen.problems)).toEqual(new Set(['busy'])));

    await way.mend();
    expect(await answers()).toEqual([200, 200]);
    socket.socket.emit('send', { envelopes: [envelope] });
    await eventually(() =>
      expect(socket.seen.delivered.map(({ id }) => id).toSorted()).toEqual(
        [early.id, early.id, envelope.id].toSorted(),
      ),
    );
    // Removals are heard again, also one from elsewhere.
    await removeDevice(database.prisma, alice.device, { account: undefined, now: Date.now() });
    await eventually(() => expect(socket.seen.disconnects).toEqual(['io server disconnect']));
    await test.stop();
    await way.cut();
    await database.close();
  });

  it('that lacks what it should have ends the start by name', async () => {
    const database = await temporaryDatabase();
    const first = await startRelay({ databaseUrl: database.url });
    await first.stop();
    await database.pool.query('DROP TABLE envelope');
    const config = {
      ...readConfig({ PORT: '0', LOG_LEVEL: 'silent', SOTTO_DATA: data }),
      databaseUrl: database.url,
    };
    await expect(createRelay(config)).rejects.toMatchObject({ code: 'database-failed' });
    await database.close();
  });
});
