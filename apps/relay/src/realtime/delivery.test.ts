import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call, connect, envelopeFor, idBytesOf, join, randomId, type TestDevice } from '../../test/device.ts';
import { eventually, startRelay, type TestRelay } from '../../test/harness.ts';

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

const online = async (device: TestDevice, options: { acks?: boolean } = {}) => {
  const connection = connect(port, { token: device.token }, options);
  open.push(connection);
  await eventually(() =>
    expect(connection.seen.caughtUp.length + connection.seen.delivered.length).toBeGreaterThan(0),
  );
  return connection;
};
const rowsOf = async (device: string) =>
  (
    await test.pool.query('SELECT id, at, body FROM envelope WHERE device = $1 ORDER BY seq', [
      idBytesOf(device),
    ])
  ).rows as {
    id: Buffer;
    at: string;
    body: Buffer | null;
  }[];
/** Long enough for a delivery that must not come. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 150));

describe('delivery', () => {
  it('reaches a device that is there, in order, with the time that the sender was told', async () => {
    const [from, to] = [await online(alice), await online(bob, { acks: true })];
    const envelopes = [1, 2, 3, 4, 5].map(() => envelopeFor(bob.device));
    from.socket.emit('send', { envelopes });
    await eventually(() => expect(to.seen.delivered).toHaveLength(5));
    expect(to.seen.delivered.map(({ id }) => id)).toEqual(envelopes.map(({ id }) => id));
    expect(to.seen.delivered.map(({ body }) => Buffer.from(body))).toEqual(
      envelopes.map(({ body }) => Buffer.from(body)),
    );
    await eventually(() => expect(from.seen.results).toHaveLength(5));
    expect(from.seen.results).toEqual(to.seen.delivered.map(({ id, at }) => ({ id, at })));
    await eventually(async () =>
      expect((await rowsOf(bob.device)).every(({ body }) => body === null)).toBe(true),
    );
  });

  it('F10: hands over 350 waiting ones a window at a time, each once, then says so', async () => {
    const from = await online(alice);
    const envelopes = Array.from({ length: 350 }, () => envelopeFor(bob.device));
    for (let i = 0; i < 350; i += 50) from.socket.emit('send', { envelopes: envelopes.slice(i, i + 50) });
    await eventually(() => expect(from.seen.results).toHaveLength(350));

    const slow = await online(bob);
    await settle();
    expect(slow.seen.delivered).toHaveLength(100);
    expect(slow.seen.caughtUp).toEqual([]);
    slow.socket.emit('ack', { ids: slow.seen.delivered.slice(0, 30).map(({ id }) => id) });
    await eventually(() => expect(slow.seen.delivered).toHaveLength(130));
    await settle();
    expect(slow.seen.delivered).toHaveLength(130);
    slow.close();

    const rest = await online(bob, { acks: true });
    await eventually(() => expect(rest.seen.caughtUp).toEqual([320]));
    const arrival = (await rowsOf(bob.device)).map(({ id }) => id.toString('base64url'));
    expect(rest.seen.delivered.map(({ id }) => id)).toEqual(arrival.slice(30));
    expect([...arrival].sort()).toEqual(envelopes.map(({ id }) => id).sort());
    await settle();
    expect(rest.seen.delivered).toHaveLength(320);
  });

  it('F12: a repeated send is one row, one delivery, and the first time', async () => {
    const [from, to] = [await online(alice), await online(bob)];
    const envelope = envelopeFor(bob.device);
    from.socket.emit('send', { envelopes: [envelope, envelope] });
    from.socket.emit('send', { envelopes: [envelope] });
    await eventually(() => expect(from.seen.results).toHaveLength(3));
    await settle();
    from.socket.emit('send', { envelopes: [envelope, envelopeFor(bob.device)] });
    await eventually(() => expect(from.seen.results).toHaveLength(5));
    const rows = await rowsOf(bob.device);
    expect(rows).toHaveLength(2);
    const answers = from.seen.results.filter(({ id }) => id === envelope.id);
    expect(answers).toEqual(Array(4).fill({ id: envelope.id, at: Number(rows[0]!.at) }));
    await eventually(() => expect(to.seen.delivered).toHaveLength(2));
    await settle();
    expect(to.seen.delivered).toHaveLength(2);
  });

  it('F12: the same many envelopes from two sockets in opposite orders', async () => {
    const [one, two] = [await online(alice), await online(alice)];
    const envelopes = Array.from({ length: 100 }, () => envelopeFor(bob.device));
    for (let round = 0; round < 5; round += 1) {
      one.socket.emit('send', { envelopes });
      two.socket.emit('send', { envelopes: envelopes.toReversed() });
    }
    await eventually(() => expect(one.seen.results.length + two.seen.results.length).toBe(1000));
    expect(await rowsOf(bob.device)).toHaveLength(100);
    expect([...one.seen.problems, ...two.seen.problems]).toEqual([]);
  });

  it('F1: a retry after the ack is answered as the first time and not delivered again', async () => {
    const [from, to] = [await online(alice), await online(bob, { acks: true })];
    const envelope = envelopeFor(bob.device);
    from.socket.emit('send', { envelopes: [envelope] });
    await eventually(async () => expect((await rowsOf(bob.device))[0]?.body).toBeNull());
    from.socket.emit('send', { envelopes: [envelope] });
    await eventually(() => expect(from.seen.results).toHaveLength(2));
    expect(from.seen.results[1]).toEqual(from.seen.results[0]);
    await settle();
    expect(to.seen.delivered).toHaveLength(1);
    const again = await online(bob);
    expect(again.seen).toMatchObject({ caughtUp: [0], delivered: [] });
  });

  it('F7: what was not acknowledged comes again over the next connection', async () => {
    const [from, to] = [await online(alice), await online(bob)];
    const envelopes = [envelopeFor(bob.device), envelopeFor(bob.device)];
    from.socket.emit('send', { envelopes });
    await eventually(() => expect(to.seen.delivered).toHaveLength(2));
    to.socket.emit('ack', { ids: [envelopes[0]!.id] });
    await eventually(async () => expect((await rowsOf(bob.device))[0]?.body).toBeNull());
    to.close();
    const again = await online(bob);
    expect(again.seen.delivered.map(({ id }) => id)).toEqual([envelopes[1]!.id]);
  });

  it('I: an ack touches nobody else’s envelopes', async () => {
    const from = await online(alice);
    const envelope = envelopeFor(bob.device);
    from.socket.emit('send', { envelopes: [envelope] });
    await eventually(() => expect(from.seen.results).toHaveLength(1));
    from.socket.emit('ack', { ids: [envelope.id, randomId()] });
    await settle();
    expect((await rowsOf(bob.device))[0]!.body).not.toBeNull();
    expect(from.seen.problems).toEqual([]);
  });

  it('refuses envelopes for unknown and removed devices one by one', async () => {
    const [from, carol] = [await online(alice), await join(test)];
    await call(port, 'DELETE', `/v1/devices/${carol.device}`, { token: carol.token });
    const envelopes = [envelopeFor(bob.device), envelopeFor(randomId()), envelopeFor(carol.device)];
    from.socket.emit('send', { envelopes });
    await eventually(() => expect(from.seen.results).toHaveLength(3));
    expect(from.seen.results[0]).toHaveProperty('at');
    expect(from.seen.results.slice(1)).toEqual(
      envelopes.slice(1).map(({ id }) => ({ id, code: 'device-unknown' })),
    );
  });

  it('F9: times move on although the clock steps back', async () => {
    const from = await online(alice);
    const send = async (n: number) => {
      from.socket.emit('send', { envelopes: [envelopeFor(bob.device)] });
      await eventually(() => expect(from.seen.results).toHaveLength(n));
      return (from.seen.results[n - 1] as { at: number }).at;
    };
    const first = await send(1);
    test.clock.ahead = -60_000;
    const second = await send(2);
    test.clock.ahead = 0;
    expect(second).toBeGreaterThan(first);
  });

  it('invariant 5: no column could hold a sender', async () => {
    const { rows } = await test.pool.query(
      "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'envelope' ORDER BY 1",
    );
    expect(rows.map(({ name }: { name: string }) => name)).toEqual([
      'acked_day',
      'at',
      'body',
      'device',
      'id',
      'seq',
    ]);
  });
});
