import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, connect, join } from '../../test/device.ts';
import { eventually, startRelay, type TestRelay } from '../../test/harness.ts';

let test: TestRelay;
beforeAll(async () => void (test = await startRelay()));
afterAll(() => test.stop());

/** A request that never comes to its end: `bytes` of it now, then one more every now and then. */
const trickle = (bytes: string) => {
  const socket: Socket = createConnection(test.relay.port, '127.0.0.1');
  const state = { answer: '', closedAfter: undefined as number | undefined };
  const began = Date.now();
  socket.on('data', (data: Buffer) => (state.answer += data.toString()));
  socket.on('error', () => undefined);
  socket.write(bytes);
  const more = setInterval(() => socket.writable && socket.write('1'), 250);
  socket.on('close', () => {
    clearInterval(more);
    state.closedAfter = Date.now() - began;
  });
  return { state, end: () => socket.destroy() };
};
const head = (path: string, more = ''): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${more}`;

describe('I: slow requests', () => {
  it('end by a time limit with their connections, while others are served', async () => {
    const { token } = await join(test);
    const signed = `authorization: Bearer ${token}\r\n`;
    const headers = Array.from({ length: 40 }, () => trickle(head('/v1/invites/check', 'x-slow: ')));
    const bodies = [
      ...Array.from({ length: 40 }, () =>
        trickle(head('/v1/invites/check', 'content-length: 60000\r\n\r\n"')),
      ),
      // These read their bodies by themselves.
      ...Array.from({ length: 40 }, () =>
        trickle(head('/v1/envelopes', `${signed}content-length: 900000\r\n\r\n"`)),
      ),
      // And one by chunks that never end.
      trickle(head('/v1/invites/check', 'transfer-encoding: chunked\r\n\r\nffff\r\n')),
    ];
    const line = connect(test.relay.port, { token });
    await eventually(() => expect(line.seen.caughtUp).toEqual([0]));
    let slowest = 0;
    for (const until = Date.now() + 20_000; Date.now() < until; await sleep(500)) {
      const began = Date.now();
      expect((await call(test.relay.port, 'GET', '/readyz')).status).toBe(200);
      slowest = Math.max(slowest, Date.now() - began);
    }
    expect(slowest).toBeLessThan(8_000);
    // Ten seconds for headers, thirty for all of it, and up to five until somebody looks.
    await eventually(() => {
      for (const { state } of headers) expect(state.closedAfter).toBeDefined();
    });
    for (const { state } of headers) {
      expect(state.closedAfter).toBeGreaterThan(8_000);
      expect(state.answer).toMatch(/^HTTP\/1\.1 408 /);
    }
    await eventually(() => {
      for (const { state } of bodies) expect(state.closedAfter).toBeDefined();
    }, 25_000);
    for (const { state } of bodies) {
      expect(state.closedAfter).toBeGreaterThan(25_000);
      expect(state.answer).toMatch(/^HTTP\/1\.1 408 /);
    }
    expect(line.socket.connected).toBe(true);
    line.close();
  }, 60_000);

  it('that want nothing but headers without a body are refused before one comes', async () => {
    // Without sign-in nothing of a large body is read.
    const slow = trickle(head('/v1/envelopes', 'content-length: 900000\r\n\r\n"'));
    await eventually(() => expect(slow.state.answer).toContain('unauthenticated'));
    slow.end();
  });
});
