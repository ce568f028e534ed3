import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { RelayError } from '@sotto/contract/errors';
import type { ChannelId, DeviceId, EnvelopeId } from '@sotto/contract/ids';
import type { ChangeChannelRequest, CreateChannelRequest, Member } from '@sotto/contract/rest/channels';
import { migrate } from '../src/postgres/migrate.ts';
import { ChannelLinks } from '../src/services/channel-links.ts';
import { Channels } from '../src/services/channels.ts';
import { openDatabase } from '../src/store/database.ts';
import { idText } from '../src/store/id-bytes.ts';
import { idBytesOf, randomId } from './device.ts';
import { temporaryDatabase } from './harness.ts';
import type { TestAccount } from './roster.ts';

export const entryOf = (bytes = 40): string => randomBytes(bytes).toString('base64url');
export const admin = ({ account }: TestAccount): Member => ({ account, admin: true });
export const plain = ({ account }: TestAccount): Member => ({ account, admin: false });

export const creation = (
  members: Member[],
  over: Partial<CreateChannelRequest> = {},
): CreateChannelRequest => ({
  channel: randomId<ChannelId>(),
  id: randomId<EnvelopeId>(),
  entry: entryOf(),
  members,
  ...over,
});

export const change = (epoch: number, over: Partial<ChangeChannelRequest> = {}): ChangeChannelRequest => ({
  id: randomId<EnvelopeId>(),
  epoch,
  entry: entryOf(),
  put: [],
  remove: [],
  ...over,
});

/** As the relay orders them: by their bytes. */
export const sorted = (members: Iterable<Member>): Member[] =>
  [...members].toSorted((a, b) => Buffer.compare(idBytesOf(a.account), idBytesOf(b.account)));
export const devicesOf = (...accounts: TestAccount[]): DeviceId[] =>
  accounts.flatMap(({ devices }) => devices).toSorted();

export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'accepted',
    (error: { code?: string }) => error.code ?? String(error),
  );

/** Channels on a database of their own, as two relays serve them. */
export const openChannels = async () => {
  const database = await temporaryDatabase();
  const look = database.pool;
  await migrate(look, resolve(import.meta.dirname, '../../../prisma/migrations'));
  const own = openDatabase({ connectionString: database.url, max: 8 });
  const { pool } = own;
  const state = {
    /** The clock breaks. */
    failing: false,
    /** Points, by kind and key; with "most" there is an end to them. */
    taken: new Map<string, number>(),
    most: Infinity,
    /** Devices whose inboxes hold too much. */
    crowded: [] as DeviceId[],
    last: 0,
    /** Each ring: the devices, and how many of their envelopes another connection saw then. */
    rings: [] as { devices: DeviceId[]; seen: Promise<number> }[],
  };
  const ring = (rung: Iterable<DeviceId>): void => {
    const devices = [...rung].toSorted();
    if (devices.length === 0) return;
    const seen = look.query<{ count: string }>('SELECT count(*) FROM envelope WHERE device = ANY($1)', [
      devices.map(idBytesOf),
    ]);
    state.rings.push({ devices, seen: seen.then(({ rows }) => Number(rows[0]!.count)) });
  };
  const time = (): number => {
    if (state.failing) throw new Error('failed on the way');
    return ++state.last;
  };
  const take = (kind: string, key: string, points = 1): void => {
    const sum = (state.taken.get(`${kind} ${key}`) ?? 0) + points;
    if (sum > state.most) throw new RelayError('too-many-requests');
    state.taken.set(`${kind} ${key}`, sum);
  };
  const inboxes = {
    get crowded() {
      return state.crowded;
    },
  };
  const open = () =>
    new Channels(pool, { doorbell: { ring }, limits: { take }, inboxes, strangersAtOnce: 1000, time });
  return {
    links: new ChannelLinks(pool, { doorbell: { ring }, limits: { take }, inboxes, time }),
    /** As the relay uses it, and to look from outside. */
    pool,
    look,
    state,
    time,
    channels: open(),
    other: open(),
    /** Whose inboxes have an envelope of this id, and what is read there. */
    inboxes: async (id: EnvelopeId) => {
      const { rows } = await look.query<{ device: Buffer; at: string; channel: Buffer; body: Buffer }>(
        `SELECT device, at, channel, post.body FROM envelope JOIN post ON post.seq = envelope.post
         WHERE id = $1 AND envelope.body IS NULL`,
        [idBytesOf(id)],
      );
      return {
        devices: rows.map(({ device }) => idText<DeviceId>(device)).toSorted(),
        bodies: [...new Set(rows.map(({ body }) => idText(body)))],
        channels: [...new Set(rows.map(({ channel }) => idText(channel)))],
        times: [...new Set(rows.map(({ at }) => Number(at)))],
      };
    },
    /** In whose inboxes an envelope of this id is a request. */
    requests: async (id: EnvelopeId): Promise<DeviceId[]> => {
      const text = 'SELECT device FROM envelope WHERE id = $1 AND request';
      const { rows } = await look.query<{ device: Buffer }>(text, [idBytesOf(id)]);
      return rows.map(({ device }) => idText<DeviceId>(device)).toSorted();
    },
    /** All that a request could have changed. */
    everything: async (): Promise<unknown[]> =>
      Promise.all(
        ['channel', 'channel_member', 'channel_entry', 'post', 'envelope'].map(
          async (table) => (await look.query(`SELECT * FROM ${table} ORDER BY 1, 2`)).rows,
        ),
      ),
    close: async () => {
      await own.close();
      await database.close();
    },
  };
};
export type TestChannels = Awaited<ReturnType<typeof openChannels>>;
