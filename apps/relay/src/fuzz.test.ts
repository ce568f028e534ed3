import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { STATUS } from '@sotto/contract/errors';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WIRE_VERSION } from '@sotto/contract/version';
import {
  call,
  CONNECT,
  connect,
  createDevice,
  encodeFrame,
  envelopeFor,
  EVENT,
  idBytesOf,
  join,
  randomId,
  type TestDevice,
} from '../test/device.ts';
import { BINARY, frames, plainFrame, TEXT, upgrade } from '../test/fuzz/frames.ts';
import { nasty, type Schema, valuesOf } from '../test/fuzz/arbitrary.ts';
import { eventually, startRelay, type TestRelay } from '../test/harness.ts';
import { asyncApi, openApi } from './http/documents.ts';

/** So many of each, with `FUZZ`; otherwise as many as the time allows. */
const COUNT = Number(process.env['FUZZ'] ?? 0);
const TIME_BOX = 8_000;
const SEED = process.env['SEED'];
const BOX = {
  ...(COUNT > 0 ? { numRuns: COUNT } : { numRuns: 100_000, interruptAfterTimeLimit: TIME_BOX }),
  ...(SEED !== undefined && { seed: Number(SEED) }),
};
const TIMEOUT = COUNT > 0 ? 60 * 60_000 : 60_000;
const GROWTH = 48 * 1024 * 1024;

interface Operation {
  parameters: { name: string; in: string; schema: Schema }[];
  requestBody?: { content: { 'application/json': { schema: Schema } } };
  responses: Record<string, { description: string }>;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heap = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

let test: TestRelay;
let alice: TestDevice;
let bob: TestDevice;
const known: Record<string, unknown[]> = {};

const online = async ({ token }: TestDevice) => {
  const opened = connect(test.relay.port, { token }, { acks: true });
  await eventually(() => expect(opened.socket.connected).toBe(true));
  return opened;
};

beforeAll(async () => {
  test = await startRelay();
  [alice, bob] = [await join(test), await join(test)];
  const channel = randomId();
  const made = await call(test.relay.port, 'POST', '/v1/channels', {
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
  expect(made.status).toBe(201);
  const spare = await createDevice(await test.invite());
  Object.assign(known, {
    account: [alice.account, bob.account],
    device: [bob.device],
    handle: [alice.registration.handle, '__proto__'],
    channel: [channel],
    epoch: [0, 1, 2],
    head: [alice.account, bob.account],
    token: [alice.delivery, bob.delivery],
    sealingKey: [alice.registration.sealingKey, bob.registration.sealingKey],
    signed: [alice.registration.signed],
    lastResort: [alice.registration.lastResort],
    event: [alice.registration.event, spare.registration.event],
    invite: [spare.registration.invite, alice.registration.invite],
    origin: [test.relay.url],
  });
});
afterAll(() => test.stop());

/** Runs what `arbitrary` makes; the heap after it is about that after its first tenth. */
const many = async <T>(arbitrary: fc.Arbitrary<T>, run: (value: T) => Promise<void>): Promise<void> => {
  let warm: number | undefined;
  let runs = 0;
  const started = Date.now();
  await fc.assert(
    fc.asyncProperty(arbitrary, async (value) => {
      runs += 1;
      if (COUNT > 0 ? runs === Math.ceil(COUNT / 10) : Date.now() - started > TIME_BOX / 10) warm ??= heap();
      await run(value);
    }),
    { ...BOX, endOnFailure: true },
  );
  expect(heap() - (warm ?? 0)).toBeLessThan(warm === undefined ? Infinity : GROWTH);
};

describe('I: whatever is sent', () => {
  it(
    'over HTTP gets a documented answer',
    async () => {
      const paths = openApi()['paths'] as Record<string, Record<string, Operation>>;
      const options = { wrong: 12, known };
      const requests = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => {
          const parts = operation.parameters.map(({ name, schema }) => {
            const some = known[name]
              ? fc.constantFrom(...known[name])
              : valuesOf(schema, { ...options, wrong: 4 });
            return fc.oneof(some, valuesOf(schema, { ...options, wrong: 4 }));
          });
          const schema = operation.requestBody?.content['application/json'].schema;
          // One's own account would be gone for what follows.
          const tokens =
            method === 'delete' && path === '/v1/account' ? ['', 'x.y.z'] : ['', 'x.y.z', alice.token];
          return fc.record({
            path: fc.constant(path),
            method: fc.constant(method.toUpperCase()),
            operation: fc.constant(operation),
            parameters: fc.tuple(...parts),
            token: fc.constantFrom(...tokens, tokens.at(-1)!, tokens.at(-1)!),
            body: schema
              ? fc.oneof(
                  { weight: 8, arbitrary: valuesOf(schema, options).map((value) => JSON.stringify(value)) },
                  { weight: 1, arbitrary: nasty.map((value) => JSON.stringify(value)) },
                  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
                )
              : fc.constant(undefined),
          });
        }),
      );
      await many(fc.oneof(...requests), async ({ path, method, operation, parameters, token, body }) => {
        let filled = path;
        const query = new URLSearchParams();
        for (const [index, { name, in: place }] of operation.parameters.entries()) {
          const value = parameters[index];
          const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
          if (place === 'query') query.set(name, text.replaceAll(/\p{Surrogate}/gu, '?'));
          // Another path, or none at all.
          else if (['', '.', '..'].includes(text)) return;
          else
            filled = filled.replace(`{${name}}`, encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, '?')));
        }
        const { status, body: answer } = await call(
          test.relay.port,
          method,
          `${filled}?${query.toString()}`,
          {
            ...(token !== '' && { token }),
            ...(body !== undefined && { body }),
          },
        );
        const documented = operation.responses[status];
        expect(documented, `${method} ${filled} ${status} ${JSON.stringify(answer)}`).toBeDefined();
        if (status >= 400) {
          expect(documented!.description, `${method} ${filled}`).toContain(`\`${String(answer['code'])}\``);
          expect(answer['code']).not.toBe('internal');
        }
      });
      expect((await call(test.relay.port, 'GET', '/readyz')).status).toBe(200);
    },
    TIMEOUT,
  );

  it(
    'as an event changes nothing for others, and refusals have codes',
    async () => {
      const api = asyncApi() as {
        channels: { socket: { messages: Record<string, { name: string; payload?: Schema }> } };
      };
      const bystander = await online(bob);
      const options = {
        wrong: 10,
        known: { ...known, token: [alice.token, bob.token, bob.delivery] },
        bytes: fc.uint8Array({ minLength: 0, maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
      };
      const events = Object.entries(api.channels.socket.messages)
        .filter(([key]) => key.startsWith('client.'))
        .map(([, { name, payload = {} }]) =>
          fc.record({
            name: fc.oneof(
              { weight: 12, arbitrary: fc.constant(name) },
              { weight: 1, arbitrary: fc.constantFrom('deliver', 'toString', '__proto__', 'x'.repeat(1000)) },
            ),
            args: fc.oneof(
              { weight: 8, arbitrary: valuesOf(payload, options).map((value) => [value]) },
              { weight: 1, arbitrary: fc.array(nasty, { maxLength: 4 }) },
            ),
            asks: fc.boolean(),
          }),
        );
      let sender = await online(alice);
      const codes = new Set<string>();
      await many(fc.oneof(...events), async ({ name, args, asks }) => {
        if (!sender.socket.connected) sender = await online(alice);
        const emit = sender.socket.emit.bind(sender.socket) as (name: string, ...args: unknown[]) => void;
        emit(
          name,
          ...args,
          ...(asks ? [(answer: { code?: string }) => void codes.add(answer.code ?? 'ok')] : []),
        );
        // A question of our own comes back: what was sent before it has been looked at.
        await new Promise<void>((resolve) => {
          sender.socket.once('disconnect', () => resolve());
          emit('renew', { token: alice.token }, () => resolve());
        });
        for (const code of sender.seen.problems) codes.add(code);
        for (const result of sender.seen.results) if ('code' in result) codes.add(result.code);
        sender.socket.off('disconnect');
      });
      expect([...codes].filter((code) => code !== 'ok' && !(code in STATUS))).toEqual([]);
      expect(codes).not.toContain('internal');
      expect(bystander.socket.connected).toBe(true);
      const last = envelopeFor(bob.device, Buffer.from('still here'));
      const fresh = await online(alice);
      fresh.socket.emit('send', { envelopes: [last] });
      await eventually(() => expect(bystander.seen.delivered.map(({ id }) => id)).toContain(last.id));
      for (const { socket } of [bystander, fresh, sender]) socket.disconnect();
    },
    TIMEOUT,
  );

  it(
    'as bytes on an open socket, signed in or not, ends that socket at most',
    async () => {
      const bystander = await online(bob);
      const sent = envelopeFor(bob.device);
      let entered = 0;
      const packet = (type: number, data: unknown) => encodeFrame({ type, data, nsp: '/' });
      const signIn = plainFrame(BINARY, packet(CONNECT, { version: WIRE_VERSION, token: alice.token }));
      const send = packet(EVENT, ['send', { envelopes: [sent] }]);
      const signedIn = async () => {
        const socket = await upgrade(test.relay.port);
        socket.write(signIn);
        // What is not text is Socket.IO's word that it is connected.
        for (let answer: Buffer = Buffer.alloc(0); !answer.includes(0x82);)
          [answer] = (await once(socket, 'data')) as [Buffer];
        entered += 1;
        return socket;
      };
      // What follows is spoiled from what the relay takes.
      const sound = await signedIn();
      sound.write(plainFrame(BINARY, send));
      await eventually(async () => {
        const { rows } = await test.pool.query('SELECT FROM envelope WHERE id = $1', [idBytesOf(sent.id)]);
        expect(rows).toHaveLength(1);
      });
      sound.destroy();
      const good = [
        packet(CONNECT, { version: WIRE_VERSION, token: alice.token }),
        send,
        packet(EVENT, ['ack', { ids: [randomId()] }]),
        packet(EVENT, ['renew', { token: alice.token }]),
        packet(1, undefined),
        // What Engine.IO itself says: open, close, ping, pong, message, upgrade, nothing.
        ...[
          '0{}',
          '1',
          '2probe',
          '3',
          '4',
          '40',
          '42["send",{}]',
          '451-["send",{"_placeholder":true,"num":0}]',
          '5',
          '6',
        ].map((text) => Buffer.from(text)),
      ];
      const attack = fc.record({ signed: fc.boolean(), lines: frames(good), waits: fc.boolean() });
      await many(attack, async ({ signed, lines, waits }) => {
        const socket = signed ? await signedIn() : await upgrade(test.relay.port);
        for (const line of lines) if (!socket.destroyed) socket.write(line);
        // Pongs nobody asked for, between the pieces.
        if (waits) socket.write(plainFrame(TEXT, '3'));
        await new Promise((resolve) => setTimeout(resolve, waits ? 3 : 0));
        socket.destroy();
      });
      expect(entered).toBeGreaterThan(10);
      expect(bystander.socket.connected).toBe(true);
      expect(bystander.seen.disconnects).toEqual([]);
      const last = envelopeFor(bob.device, Buffer.from('still here'));
      const fresh = await online(alice);
      fresh.socket.emit('send', { envelopes: [last] });
      await eventually(() => expect(bystander.seen.delivered.map(({ id }) => id)).toContain(last.id));
      expect((await call(test.relay.port, 'GET', '/readyz')).status).toBe(200);
      for (const { socket } of [bystander, fresh]) socket.disconnect();
    },
    TIMEOUT,
  );
});
