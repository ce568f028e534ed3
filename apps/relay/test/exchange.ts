import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OutgoingEnvelope, OutgoingPost } from '@sotto/contract/envelope';
import type { AccountId, ChannelId, DeliveryToken, DeviceId, EnvelopeId } from '@sotto/contract/ids';
import express from 'express';
import type pg from 'pg';
import type { Services } from '../src/compose.ts';
import { errorMapper } from '../src/http/errors.ts';
import { INBOX } from '../src/http/inbox.ts';
import { serve as serveRoutes } from '../src/http/route.ts';
import { createLog } from '../src/log.ts';
import { Metrics } from '../src/metrics.ts';
import { openGateway, type Gateway } from '../src/realtime/gateway.ts';
import { Doorbell } from '../src/services/doorbell.ts';
import { Inboxes } from '../src/services/inboxes.ts';
import { Mailbox } from '../src/services/mailbox.ts';
import type { Taker } from '../src/services/way-in.ts';
import { Origins } from '../src/services/origins.ts';
import { SignIn } from '../src/services/sign-in.ts';
import { Tokens } from '../src/services/tokens.ts';
import { openDatabase } from '../src/store/database.ts';
import type { Load } from '../src/store/inboxes.ts';
import { connect, idBytesOf, randomId } from './device.ts';
import { temporaryDatabase } from './harness.ts';
import { migrate } from '../src/postgres/migrate.ts';
import { resolve } from 'node:path';

const log = createLog('silent');
const WEEK = 7 * 24 * 60 * 60 * 1000;

/** A person's device as the mailbox knows it. */
export interface Party {
  account: AccountId;
  device: DeviceId;
  head: string;
  delivery: DeliveryToken;
  token: string;
}

const serve = async (pool: pg.Pool, limits: Taker, clock: { ahead: number }, full?: Load) => {
  const now = () => Date.now() + clock.ahead;
  const http: Server = createServer();
  await new Promise<void>((listening) => void http.listen(0, '127.0.0.1', listening));
  const { port } = http.address() as AddressInfo;
  const origins = new Origins(undefined, port);
  const doorbell = new Doorbell();
  const tokens = new Tokens(pool, { lifetimes: { accessToken: WEEK, challenge: 1000 }, now });
  const signIn = new SignIn(pool, { tokens, origins });
  const inboxes = new Inboxes(pool, { now, log, full });
  const mailbox = new Mailbox(pool, { doorbell, limits, inboxes, now, last: 0, log });
  const gateway: Gateway = openGateway(http, origins, {
    mailbox,
    doorbell,
    signIn,
    pool,
    limits,
    now,
    log,
  });
  const metrics = new Metrics();
  const app = express()
    .use('/v1', serveRoutes(INBOX, { mailbox, signIn, metrics } as unknown as Services))
    .use(errorMapper(log, metrics));
  http.on('request', app);
  return { port, mailbox, inboxes, doorbell, gateway, tokens, signIn, http };
};

/** The mailbox with its sockets and its routes, and nothing else of a relay. */
export const startExchange = async (options: { limits?: Taker; full?: Load } = {}) => {
  const database = await temporaryDatabase();
  const { pool } = database;
  await migrate(pool, resolve(import.meta.dirname, '../../../prisma/migrations'));
  const clock = { ahead: 0 };
  const taken = new Map<string, number>();
  const limits: Taker = options.limits ?? {
    take: (kind, key, points = 1) =>
      void taken.set(`${kind} ${key}`, (taken.get(`${kind} ${key}`) ?? 0) + points),
  };
  // Apart from the pool of the tests, which may hold connections and locks.
  const own = openDatabase({ connectionString: database.url });
  const served = await serve(own.pool, limits, clock, options.full);
  const open: { close: () => void }[] = [];

  const addDevice = async (account: AccountId, head: string, delivery: DeliveryToken): Promise<Party> => {
    const device = randomId<DeviceId>();
    await pool.query('INSERT INTO device (id, account, signing_key, created_at) VALUES ($1, $2, $3, now())', [
      idBytesOf(device),
      idBytesOf(account),
      randomBytes(65),
    ]);
    const { token } = await served.tokens.issueAccess(device, account);
    return { account, device, head, delivery, token };
  };

  return {
    ...served,
    pool,
    clock,
    /** Of what has a limit, by kind and key, where none was given. */
    taken,
    /** A person with one device. */
    join: async (): Promise<Party> => {
      const account = randomId<AccountId>(32);
      const head = randomId(32);
      const delivery = randomId<DeliveryToken>();
      const hash = createHash('sha256').update(idBytesOf(delivery)).digest();
      await pool.query(
        'INSERT INTO account (id, handle, skeleton, head, delivery, created_at) VALUES ($1, $2, $2, $3, $4, now())',
        [idBytesOf(account), `p${randomBytes(8).toString('hex')}`, idBytesOf(head), hash],
      );
      return addDevice(account, head, delivery);
    },
    /** Another device of the same person. */
    link: ({ account, head, delivery }: Party): Promise<Party> => addDevice(account, head, delivery),
    remove: async ({ device }: Party): Promise<void> => {
      await pool.query('UPDATE device SET removed_at = now() WHERE id = $1', [idBytesOf(device)]);
      served.gateway.disconnect(device, 'device-removed');
    },
    /** All of them have joined, but for `asked`. */
    channel: async (members: readonly Party[], asked: readonly Party[] = []): Promise<ChannelId> => {
      const channel = randomId<ChannelId>();
      await pool.query('INSERT INTO channel (id, epoch) VALUES ($1, 1)', [idBytesOf(channel)]);
      for (const { account } of [...members, ...asked]) {
        await pool.query(
          'INSERT INTO channel_member (channel, account, admin, joined) VALUES ($1, $2, false, $3)',
          [idBytesOf(channel), idBytesOf(account), members.some((one) => one.account === account)],
        );
      }
      return channel;
    },
    dial: (party: Party, opened: Parameters<typeof connect>[2] = {}) => {
      const connection = connect(served.port, { token: party.token }, opened);
      open.push(connection);
      return connection;
    },
    hangUp: (): void => open.splice(0).forEach((connection) => connection.close()),
    /** Another relay of the same database, without Redis. */
    beside: (others = limits) => serve(own.pool, others, clock),
    rows: async ({ device }: Pick<Party, 'device'>) =>
      (
        await pool.query<{
          id: Buffer;
          at: string;
          body: Buffer | null;
          request: boolean;
          post: string | null;
          acked_day: number | null;
        }>('SELECT * FROM envelope WHERE device = $1 ORDER BY seq', [idBytesOf(device)])
      ).rows,
    stop: async (): Promise<void> => {
      open.splice(0).forEach((connection) => connection.close());
      await served.gateway.close();
      await own.close();
      await database.close();
    },
  };
};
export type Exchange = Awaited<ReturnType<typeof startExchange>>;

/** Into the inbox. */
export const envelopeTo = (to: Party, options: Partial<OutgoingEnvelope> = {}): OutgoingEnvelope =>
  ({
    id: randomId<EnvelopeId>(),
    device: to.device,
    head: to.head,
    token: to.delivery,
    body: randomBytes(32),
    ...options,
  }) as OutgoingEnvelope;

export const postTo = (channel: ChannelId, options: Partial<OutgoingPost> = {}): OutgoingPost =>
  ({ id: randomId<EnvelopeId>(), channel, epoch: 1, body: randomBytes(32), ...options }) as OutgoingPost;
