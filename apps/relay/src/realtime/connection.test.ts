import { LIMITS } from '@sotto/contract/limits';
import type { TokenResponse } from '@sotto/contract/rest/session';
import { WIRE_VERSION } from '@sotto/contract/version';
import { Manager } from 'socket.io-client';
import * as parser from 'socket.io-msgpack-parser';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  call,
  connect,
  CONNECT,
  encodeFrame,
  envelopeFor,
  EVENT,
  join,
  randomId,
  signIn,
  type TestDevice,
} from '../../test/device.ts';
import { eventually, startRelay, type TestRelay } from '../../test/harness.ts';
import { UNLIMITED } from '../services/limits.ts';

let test: TestRelay;
let port: number;
let alice: TestDevice;
let bob: TestDevice;
const open: { close: () => void }[] = [];
beforeAll(async () => {
  test = await startRelay();
  port = test.relay.port;
});
afterAll(() => test.stop());
beforeEach(async () => {
  [alice, bob] = [await join(test), await join(test)];
  return () => open.splice(0).forEach((connection) => connection.close());
});

const dial = (auth: Record<string, unknown>, options: { origin?: string } = {}) => {
  const connection = connect(port, auth, options);
  open.push(connection);
  return connection;
};
const online = async (device: TestDevice) => {
  const connection = dial({ token: device.token });
  await eventually(() => expect(connection.seen.caughtUp).toEqual([0]));
  return connection;
};
/** The socket without its types: what a client could send. */
const raw = (connection: ReturnType<typeof connect>) =>
  connection.socket as unknown as { emit: (name: string, ...args: unknown[]) => void };

describe('sign-in of a socket', () => {
  it.each([
    ['no token', {}, 'unauthenticated'],
    ['noise', { token: 'x' }, 'unauthenticated'],
    ['a token that is no text', { token: { $ne: 1 } }, 'bad-request'],
    ['no version', { token: 'x', version: undefined }, 'bad-request'],
    ['another version', { token: 'x', version: 99 }, 'unsupported-version'],
    ['a field too many', { token: 'x', admin: true }, 'bad-request'],
  ])('I: refuses %s', async (_name, auth, code) => {
    const { seen } = dial(auth);
    await eventually(() => expect(seen.refusals).toEqual([code]));
    expect(seen.caughtUp).toEqual([]);
  });

  it('I: refuses a foreign and a `null` Origin, whatever the token', async () => {
    for (const origin of ['https://evil.example', 'null']) {
      const { seen, socket } = dial({ token: alice.token }, { origin });
      await eventually(() => expect(seen.refusals).toHaveLength(1));
      expect(socket.connected).toBe(false);
    }
    const own = dial({ token: alice.token }, { origin: `http://127.0.0.1:${port}` });
    await eventually(() => expect(own.seen.caughtUp).toEqual([0]));
  });

  it('I: has one attempt for a connection', async () => {
    const packet = encodeFrame({
      type: CONNECT,
      nsp: '/',
      data: { token: alice.token, version: WIRE_VERSION },
    });
    const bad = encodeFrame({ type: CONNECT, nsp: '/', data: { token: 'x', version: WIRE_VERSION } });
    for (const packets of [[bad], [bad, packet], [packet, packet]]) {
      const manager = new Manager(`http://127.0.0.1:${port}`, {
        transports: ['websocket'],
        parser,
        reconnection: false,
      });
      open.push({ close: () => manager.engine.close() });
      let ended = false;
      manager.on('close', () => (ended = true));
      manager.on('open', () => {
        for (const one of packets) manager.engine.write(one as never);
      });
      // Far sooner than who says nothing at all is cut off.
      await eventually(() => expect(ended).toBe(true), 5_000);
    }
  });

  it('I: ends the oldest of more sockets of one device than an app needs', async () => {
    const sockets: Awaited<ReturnType<typeof online>>[] = [];
    for (let n = 0; n < 8; n += 1) sockets.push(await online(alice));
    await online(bob);
    expect(sockets.every(({ socket }) => socket.connected)).toBe(true);
    await online(alice);
    await eventually(() => expect(sockets[0]!.seen.disconnects).toHaveLength(1));
    expect(sockets[0]!.seen.problems).toEqual(['too-many-requests']);
    expect(sockets.slice(1).every(({ socket }) => socket.connected)).toBe(true);
  });

  it('refuses a removed device by name', async () => {
    await call(port, 'DELETE', `/v1/devices/${alice.device}`, { token: alice.token });
    const { seen } = dial({ token: alice.token });
    await eventually(() => expect(seen.refusals).toEqual(['device-removed']));
  });
});

describe('I: bad events', () => {
  const good = () => envelopeFor(bob.device);
  const cases: [string, string, () => unknown[]][] = [
    ['an unknown event', 'unknown-event', () => ['drop']],
    ['an event named like a method', 'unknown-event', () => ['constructor', {}]],
    ['nothing to send', 'bad-request', () => ['send', { envelopes: [] }]],
    ['no argument', 'bad-request', () => ['send']],
    ['an argument too many', 'bad-request', () => ['send', { envelopes: [good()] }, 1]],
    ['a callback too many', 'bad-request', () => ['send', { envelopes: [good()] }, () => undefined]],
    ['null', 'bad-request', () => ['send', null]],
    ['a short id', 'bad-request', () => ['send', { envelopes: [{ ...good(), id: 'abc' }] }]],
    [
      'an id that is not canonical',
      'bad-request',
      () => ['send', { envelopes: [{ ...good(), id: `${'A'.repeat(21)}B` }] }],
    ],
    ['a body that is text', 'bad-request', () => ['send', { envelopes: [{ ...good(), body: 'text' }] }]],
    ['a sender', 'bad-request', () => ['send', { envelopes: [{ ...good(), sender: alice.device }] }]],
    ['an empty body', 'bad-request', () => ['send', { envelopes: [{ ...good(), body: Buffer.alloc(0) }] }]],
    [
      'a forged placeholder',
      'bad-request',
      () => ['send', { envelopes: [{ ...good(), body: { _placeholder: true, num: 0 } }] }],
    ],
    [
      'a body one over the limit',
      'bad-request',
      () => ['send', { envelopes: [envelopeFor(bob.device, new Uint8Array(LIMITS.envelopeBytes + 1))] }],
    ],
    [
      'envelopes one over the limit',
      'bad-request',
      () => ['send', { envelopes: Array.from({ length: LIMITS.envelopesPerSend + 1 }, good) }],
    ],
    ['no posts', 'bad-request', () => ['post', { posts: [] }]],
    [
      'a post under half an epoch',
      'bad-request',
      () => ['post', { posts: [{ id: randomId(), channel: randomId(), epoch: 0.5, body: Buffer.alloc(1) }] }],
    ],
    ['a live envelope with an id', 'bad-request', () => ['live', { envelopes: [good()], posts: [] }]],
    [
      'a live event with a callback',
      'bad-request',
      () => ['live', { envelopes: [], posts: [] }, () => undefined],
    ],
    ['an ack by sequence', 'bad-request', () => ['ack', { ids: [-1, 0.5, Number.NaN, 2 ** 60] }]],
    ['an ack of nothing', 'bad-request', () => ['ack', {}]],
    ['a renewal without a callback', 'bad-request', () => ['renew', { token: alice.token }]],
    ['a renewal with text for a callback', 'bad-request', () => ['renew', { token: alice.token }, 'reply']],
    ['a renewal with a callback alone', '', () => ['renew', () => undefined]],
  ];
  it.each(cases)('%s: %s, and the connection lives on', async (_name, code, event) => {
    const from = await online(alice);
    const [name, ...args] = event();
    raw(from).emit(name as string, ...args);
    from.socket.emit('send', { envelopes: [good()] });
    await eventually(() => expect(from.seen.results).toHaveLength(1));
    expect(from.seen.problems).toEqual(code ? [code] : []);
    expect(from.seen.disconnects).toEqual([]);
  });

  it('a body at the limit goes through, and back', async () => {
    const [from, to] = [await online(alice), await online(alice)];
    const envelope = envelopeFor(alice.device, new Uint8Array(LIMITS.envelopeBytes).fill(7));
    from.socket.emit('send', { envelopes: [envelope] });
    await eventually(() => expect(to.seen.delivered).toHaveLength(1));
    expect(Buffer.from(to.seen.delivered[0]!.body).equals(envelope.body)).toBe(true);
  });

  it('a frame over the limit ends only its own connection', async () => {
    const [from, other] = [await online(alice), await online(bob)];
    raw(from).emit('send', Buffer.alloc(LIMITS.frameBytes + 1));
    await eventually(() => expect(from.seen.disconnects).toHaveLength(1));
    expect(other.socket.connected).toBe(true);
    expect((await call(port, 'GET', '/v1/relay')).status).toBe(200);
  });

  const frames: [name: string, frame: Buffer][] = [
    ['arrays that claim gigabytes', Buffer.from('dd01ffffff'.repeat(30), 'hex')],
    ['an extension that claims a gigabyte', Buffer.from('c94000000000', 'hex')],
    ['a name that is an object', encodeFrame({ type: 2, nsp: '/', data: [{ toString: 1 }] })],
    ['a name that is a number', encodeFrame({ type: 2, nsp: '/', data: [7] })],
    ['no name', encodeFrame({ type: 2, nsp: '/', data: [] })],
    ['the name of Socket.IO’s own end', encodeFrame({ type: 2, nsp: '/', data: ['disconnect', 'x'] })],
    ['noise', Buffer.from('ffc1', 'hex')],
    ['nothing', Buffer.alloc(0)],
  ];
  it.each(frames)(
    'A9: a frame with %s ends its own connection, before sign-in and after',
    async (_name, frame) => {
      const other = await online(bob);
      for (const type of [CONNECT, EVENT]) {
        const own = connect(port, { token: alice.token }, { frame: { instead: type, bytes: frame } });
        open.push(own);
        if (type === EVENT) {
          await eventually(() => expect(own.seen.caughtUp).toEqual([0]));
          raw(own).emit('anything');
        }
        await eventually(() => expect(own.socket.connected).toBe(false));
        if (type === EVENT) await eventually(() => expect(own.seen.disconnects).toHaveLength(1));
      }
      other.socket.emit('send', { envelopes: [good()] });
      await eventually(() => expect(other.seen.results).toHaveLength(1));
    },
  );

  it('many large bodies reach the reader in frames', async () => {
    const from = connect(port, { token: alice.token }, { acks: true });
    open.push(from);
    await eventually(() => expect(from.seen.caughtUp).toEqual([0]));
    for (let i = 0; i < 3; i += 1) {
      from.socket.emit('send', {
        envelopes: Array.from({ length: 10 }, () =>
          envelopeFor(alice.device, new Uint8Array(LIMITS.envelopeBytes)),
        ),
      });
    }
    await eventually(() => expect(from.seen.delivered).toHaveLength(30));
  });
});

describe('the end of a connection', () => {
  it('comes at once when the device is removed, and names it', async () => {
    const [one, other] = [await online(alice), await online(bob)];
    const { status } = await call(port, 'DELETE', `/v1/devices/${alice.device}`, { token: alice.token });
    expect(status).toBe(204);
    await eventually(() => expect(one.seen.disconnects).toEqual(['io server disconnect']));
    expect(one.seen.problems).toEqual(['device-removed']);
    expect(other.socket.connected).toBe(true);
  });

  it('comes when the token runs out, unless it was renewed', async () => {
    const short = await startRelay({ lifetimes: { accessToken: 8000, challenge: 60_000, invite: 60_000 } });
    const [lapsed, renewed] = [await join(short), await join(short)];
    const [one, two] = [lapsed, renewed].map(({ token }) => connect(short.relay.port, { token }));
    await eventually(() => expect(two!.seen.caughtUp).toEqual([0]));
    await eventually(() => expect(one!.seen.caughtUp).toEqual([0]));
    const foreign = await new Promise((resolve) =>
      two!.socket.emit('renew', { token: lapsed.token }, resolve),
    );
    const renewing = setInterval(() => {
      void signIn(short.relay.port, renewed).then(
        ({ body }) => {
          const { token } = body as unknown as TokenResponse;
          two!.socket.emit('renew', { token }, () => undefined);
          // The last may come when the relay is gone.
        },
        () => undefined,
      );
    }, 500);
    await eventually(() => expect(one!.seen.disconnects).toEqual(['io server disconnect']));
    await new Promise((resolve) => setTimeout(resolve, 9500));
    clearInterval(renewing);
    const state = { problems: one!.seen.problems, alive: two!.socket.connected };
    two!.close();
    await short.stop();
    expect(foreign).toEqual({ ok: false, code: 'forbidden' });
    expect(state).toEqual({ problems: ['token-expired'], alive: true });
  });

  it('I: one renewal at a time, and so many in a minute', async () => {
    const strict = await startRelay({ limits: { ...UNLIMITED, token: { points: 2, seconds: 60 } } });
    const device = await join(strict);
    const { socket, seen } = connect(strict.relay.port, { token: device.token });
    await eventually(() => expect(seen.caughtUp).toHaveLength(1));
    const renew = () => new Promise((resolve) => socket.emit('renew', { token: device.token }, resolve));
    expect(await Promise.all([renew(), renew()])).toContainEqual({ ok: false, code: 'busy' });
    expect(await renew()).toEqual({ ok: true });
    expect(await renew()).toEqual({ ok: false, code: 'too-many-requests' });
    await strict.stop();
  });

  it('a renewal with a bad token is refused and changes nothing', async () => {
    const one = await online(alice);
    const renew = (token: string) => new Promise((resolve) => one.socket.emit('renew', { token }, resolve));
    expect(await renew('x')).toEqual({ ok: false, code: 'unauthenticated' });
    expect(await renew(randomId(3000))).toEqual({ ok: false, code: 'bad-request' });
    expect(await renew(alice.token)).toEqual({ ok: true });
    expect(one.socket.connected).toBe(true);
  });
});
