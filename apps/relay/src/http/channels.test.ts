import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import type { AccountId, ChannelId, EnvelopeId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { ChannelResponse, ChannelsResponse, EpochResponse, type Member } from '@sotto/contract/rest/channels';
import { RelayError } from '@sotto/contract/errors';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, randomId } from '../../test/device.ts';
import { temporaryDatabase } from '../../test/harness.ts';
import { insertAccounts, type TestAccount } from '../../test/roster.ts';
import type { Services } from '../compose.ts';
import { createLog } from '../log.ts';
import { Metrics } from '../metrics.ts';
import { migrate } from '../postgres/migrate.ts';
import { Channels } from '../services/channels.ts';
import { CHANNELS } from './channels.ts';
import { errorMapper } from './errors.ts';
import { serve } from './route.ts';

let port: number;
let people: TestAccount[];
/** What is taken; the next throws while `limited`. */
const taken: [string, string][] = [];
let limited = false;
let stop: () => Promise<void>;
beforeAll(async () => {
  const database = await temporaryDatabase();
  await migrate(database.pool, resolve(import.meta.dirname, '../../../../prisma/migrations'));
  people = await insertAccounts(database.pool, LIMITS.membersPerChannel);
  let at = 0;
  const channels = new Channels(database.pool, {
    doorbell: { ring: () => undefined },
    limits: { take: () => undefined },
    inboxes: { crowded: [] },
    strangersAtOnce: LIMITS.membersPerChannel,
    time: () => ++at,
  });
  // A token is the number of a person.
  const authenticate = (token: string) => {
    const person = people[Number(token)];
    if (!person) throw new RelayError('unauthenticated');
    return Promise.resolve({ account: person.account, device: person.devices[0]!, expiresAt: 0 });
  };
  const take = (kind: string, key: string): void => {
    if (limited) throw new RelayError('too-many-requests', undefined, { retryAfter: 7 });
    taken.push([kind, key]);
  };
  const services = { channels, signIn: { authenticate }, limits: { take } } as unknown as Services;
  const app = express()
    .use(serve(CHANNELS, services))
    .use(errorMapper(createLog('silent'), new Metrics()));
  const server = createServer(app).listen(0);
  port = (server.address() as AddressInfo).port;
  stop = async () => {
    await new Promise((done) => server.close(done));
    await database.close();
  };
});
afterAll(() => stop());

const entry = (bytes = 40): string => randomBytes(bytes).toString('base64url');
const member = (n: number, admin = false): Member => ({ account: people[n]!.account, admin });
const creation = (over: object = {}) => ({
  channel: randomId<ChannelId>(),
  id: randomId<EnvelopeId>(),
  entry: entry(),
  members: [member(0, true), member(1)],
  ...over,
});
const change = (epoch: number, over: object = {}) => ({
  id: randomId<EnvelopeId>(),
  epoch,
  entry: entry(),
  put: [],
  remove: [],
  ...over,
});
const post = (path: string, body: unknown, token = '0') => call(port, 'POST', path, { body, token });
const get = (path: string, token = '0') => call(port, 'GET', path, { token });
const make = async () => {
  const request = creation();
  expect((await post('/channels', request)).status).toBe(201);
  return request.channel;
};

describe('channels over HTTP', () => {
  it('are made, changed, listed and read in the form of the contract', async () => {
    const request = creation();
    const made = await post('/channels', request);
    expect([made.status, EpochResponse.parse(made.body)]).toEqual([201, { epoch: 0 }]);
    const next = change(1, { put: [member(2)] });
    const changed = await post(`/channels/${request.channel}/entries`, next);
    expect([changed.status, EpochResponse.parse(changed.body)]).toEqual([200, { epoch: 1 }]);
    const read = ChannelResponse.parse((await get(`/channels/${request.channel}`, '2')).body);
    expect(read).toMatchObject({ epoch: 1, more: false });
    expect(read.entries.map((one) => one.entry)).toEqual([request.entry, next.entry]);
    const later = ChannelResponse.parse((await get(`/channels/${request.channel}?from=1`, '2')).body);
    expect(later).toEqual({ ...read, entries: [read.entries[1]] });
    const listed = ChannelsResponse.parse((await get('/channels', '2')).body);
    const own = { channel: request.channel, epoch: 1 };
    expect(listed).toEqual({ channels: [{ ...own, joined: false }] });
    for (let n = 0; n < 2; n += 1)
      expect((await post(`/channels/${request.channel}/join`, undefined, '2')).status).toBe(204);
    expect((await get('/channels', '2')).body).toEqual({ channels: [{ ...own, joined: true }] });
  });

  it('I: nothing is told or read without a token, however large it is', async () => {
    const channel = await make();
    const large = 'x'.repeat(LIMITS.largeRequestBytes + 1);
    for (const [method, path, body] of [
      ['POST', '/channels', creation()],
      ['POST', '/channels', large],
      ['POST', `/channels/${channel}/entries`, change(1)],
      ['POST', `/channels/${channel}/join`, undefined],
      ['PUT', `/channels/${channel}/link`, { epoch: 0 }],
      ['POST', `/channels/${channel}/link`, { token: randomId() }],
      ['POST', `/channels/${channel}/link/requests`, undefined],
      ['GET', `/channels/${channel}`, undefined],
      ['GET', '/channels', undefined],
    ] as const) {
      expect((await call(port, method, path, { body })).status).toBe(401);
    }
  });

  const bad: [string, (channel: ChannelId) => Promise<{ status: number; body: object }>][] = [
    ['no body', () => post('/channels', '')],
    ['no JSON', () => post('/channels', '{"channel"')],
    ['a name too many', () => post('/channels', creation({ epoch: 0 }))],
    ['a name twice', () => post('/channels', JSON.stringify(creation()).replace('{', '{"id":"",'))],
    ['no members', () => post('/channels', creation({ members: [] }))],
    ['an empty entry at epoch 0', (channel) => post(`/channels/${channel}/entries`, change(0))],
    ['a fraction of an epoch', (channel) => post(`/channels/${channel}/entries`, change(1.5))],
    ['a negative epoch', (channel) => post(`/channels/${channel}/entries`, change(-1))],
    ['an epoch beyond 32 bits', (channel) => post(`/channels/${channel}/entries`, change(2 ** 32))],
    [
      'an entry that is too large',
      () => post('/channels', creation({ entry: entry(LIMITS.entryBytes + 1) })),
    ],
    ['an entry that is not base64url', () => post('/channels', creation({ entry: 'a+b/' }))],
    ['an entry in another spelling', () => post('/channels', creation({ entry: 'AB' }))],
    [
      'a member too many',
      () =>
        post('/channels', creation({ members: Array(LIMITS.membersPerChannel + 1).fill(member(0, true)) })),
    ],
    ['a channel that is none', () => post('/channels/x/entries', change(1))],
    ['a channel that is none, to be read', () => get('/channels/%00')],
    ...['', '-1', '1.5', 'NaN', '01', '4294967296', '99999999999', '1&from=1', '%31x'].map(
      (from): (typeof bad)[number] => [
        `an epoch '${from}' to read from`,
        (channel) => get(`/channels/${channel}?from=${from}`),
      ],
    ),
  ];
  it.each(bad)('I: refuse %s', async (_name, ask) => {
    const { status, body } = await ask(await make());
    expect([status, (body as { code: string }).code]).toEqual([400, 'bad-request']);
  });

  it('I: another’s channel is refused like one that is not there', async () => {
    const [channel, unknown] = [await make(), randomId<ChannelId>()];
    for (const of of [channel, unknown]) {
      for (const answer of [
        await get(`/channels/${of}`, '5'),
        await get(`/channels/${of}?from=7`, '5'),
        await post(`/channels/${of}/entries`, change(1), '5'),
        await post(`/channels/${of}/join`, undefined, '5'),
      ]) {
        expect([answer.status, answer.body]).toEqual([404, { code: 'channel-unknown' }]);
      }
    }
  });

  it('may be as large as a change of everybody, and no larger', async () => {
    const members = people.map((_person, n) => member(n, n === 0));
    const request = creation({ members, entry: entry(LIMITS.entryBytes) });
    expect(JSON.stringify(request).length).toBeGreaterThan(LIMITS.requestBytes);
    expect((await post('/channels', request)).status).toBe(201);
    const everybody = change(1, {
      entry: entry(LIMITS.entryBytes),
      put: members,
      remove: Array.from({ length: LIMITS.membersPerChannel }, () => randomId<AccountId>(32)),
    });
    // It is read and understood.
    expect((await post(`/channels/${request.channel}/entries`, everybody)).body).toEqual({
      code: 'bad-request',
      detail: 'remove: no member',
    });
    const blank = (bytes: number) => `{"x":1${' '.repeat(bytes - 7)}}`;
    expect((await post('/channels', blank(LIMITS.largeRequestBytes))).status).toBe(400);
    expect((await post('/channels', blank(LIMITS.largeRequestBytes + 1))).status).toBe(413);
  });

  it('are limited by account, and say until when', async () => {
    taken.length = 0;
    const channel = await make();
    await post(`/channels/${channel}/entries`, change(1), '1');
    expect(taken).toEqual([
      ['channels', people[0]!.account],
      ['channels', people[1]!.account],
    ]);
    limited = true;
    const refused = await post(`/channels/${channel}/entries`, change(2));
    limited = false;
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '7']);
    expect((await get(`/channels/${channel}`)).body['epoch']).toBe(1);
  });
});
