import type { ErrorCode } from '@sotto/contract/errors';
import type { AccountId, ChannelId, DeviceId, EnvelopeId } from '@sotto/contract/ids';
import type pg from 'pg';
import { bytesArray, idsArray, numbersArray } from './arrays.ts';
import { gateOf, requestRoomOf } from './channels.ts';
import { dayOf } from './days.ts';
import { idText } from './id-bytes.ts';

export interface PostRow {
  /** Who sends. Its device gets the post too: that row is what a repeated post is known by. */
  device: DeviceId;
  account: AccountId;
  id: EnvelopeId;
  channel: ChannelId;
  epoch: number;
  body: Uint8Array;
}

/** Refused; had before, at that time; or stored, in so many inboxes of the copies that were made. */
export type PostFate =
  | { code: ErrorCode }
  | { at: number }
  | {
      post: string;
      stored: number;
      copies: number;
      /** Those that have it as it is. */
      devices: readonly DeviceId[];
      /** Those that have it as a request, or have no room for it. */
      others: readonly DeviceId[];
    };

const ID_BYTES = 16;

const devicesOf = (bytes: Buffer): DeviceId[] =>
  Array.from({ length: bytes.length / ID_BYTES }, (_, n) =>
    idText<DeviceId>(bytes.subarray(n * ID_BYTES, (n + 1) * ID_BYTES)),
  );

const columnsOf = (posts: readonly PostRow[]): Buffer[] => [
  idsArray(posts.map(({ device }) => device)),
  idsArray(
    posts.map(({ account }) => account),
    32,
  ),
  idsArray(posts.map(({ channel }) => channel)),
  idsArray(posts.map(({ id }) => id)),
  numbersArray(posts.map(({ epoch }) => epoch)),
  bytesArray(posts.map(({ body }) => body)),
];

interface Row {
  n: string;
  member: boolean;
  current: boolean;
  known: string | null;
  post: string | null;
  stored: string | null;
  /** With the first post of each channel: those with room for everything, and the others with what there is of it. */
  devices: Buffer | null;
  others: Buffer | null;
  rooms: number[] | null;
  first: boolean | null;
}

/** The readers of a channel; `rooms` says how many of the posts of one statement each of `others` gets. */
interface Readers {
  devices: readonly DeviceId[];
  others: readonly DeviceId[];
  rooms: readonly number[];
  /** Posts so far. */
  posts: number;
}

const UNBOUNDED = 0x7fffffff;

/**
 * One statement, one COMMIT. Channels stay locked against changes until then: nothing under an old epoch is stored after a
 * change. As with envelopes, rows are written in the order of their keys. No two posts may have the same device and id.
 * Whoever posts has joined. The others get requests, as far as there is room for those, and `crowded` devices nothing;
 * the sending device, where it is one of them, only the mark of what it had.
 */
export const insertPosts = async (
  pool: pg.Pool,
  posts: readonly PostRow[],
  { at, crowded }: { at: number; crowded: readonly DeviceId[] },
): Promise<PostFate[]> => {
  const { rows } = await pool.query<Row>({
    name: 'insert-posts',
    // It waits for no lock longer than a second, as everybody's messages wait behind it.
    // The lock sees a change that it waited for, the rest does not: a post then is stale either way.
    text: `WITH patience AS MATERIALIZED (
             SELECT set_config('lock_timeout', '1s', true)
           ), gate AS MATERIALIZED (
             SELECT id, pg_advisory_xact_lock_shared(${gateOf('id')})
             FROM patience, (SELECT DISTINCT id FROM unnest($3::bytea[]) AS id ORDER BY id) AS asked
           ), locked AS (
             SELECT id, epoch FROM channel WHERE id IN (SELECT id FROM gate) ORDER BY id FOR SHARE
           ), checked AS MATERIALIZED (
             SELECT u.*, m.joined, m.account IS NOT NULL AND d.id IS NOT NULL AS member,
               coalesce(u.epoch = l.epoch AND l.epoch = c.epoch, false) AS current, e.at AS known
             FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bytea[])
               WITH ORDINALITY AS u(device, account, channel, id, epoch, body, n)
             LEFT JOIN locked l ON l.id = u.channel
             LEFT JOIN channel c ON c.id = u.channel
             LEFT JOIN channel_member m ON m.channel = u.channel AND m.account = u.account
             LEFT JOIN device d ON d.id = u.device AND d.removed_at IS NULL
             LEFT JOIN envelope e ON e.device = u.device AND e.id = u.id
           ), fresh AS MATERIALIZED (
             SELECT *, nextval('post_seq_seq') AS post FROM (
               SELECT n, device, account, channel, joined, id, body, row_number() OVER (PARTITION BY channel ORDER BY n) AS nth
               FROM checked WHERE member AND current AND known IS NULL ORDER BY n
             ) AS accepted
           ), joining AS (
             -- A row that is locked is being joined by the other one.
             UPDATE channel_member m SET joined = true FROM (
               SELECT m.channel, m.account FROM channel_member m
               JOIN fresh f ON f.channel = m.channel AND f.account = m.account
               WHERE NOT f.joined FOR UPDATE OF m SKIP LOCKED
             ) AS own WHERE m.channel = own.channel AND m.account = own.account
           ), kept AS (
             INSERT INTO post (seq, channel, body) SELECT post, channel, body FROM fresh
           ), reader AS MATERIALIZED (
             SELECT *, CASE WHEN device = ANY ($8::bytea[]) THEN 0 WHEN joined THEN ${UNBOUNDED}
                            ELSE ${requestRoomOf('member.device')} END AS room
             FROM (
               SELECT m.channel, d.id AS device, m.joined OR (m.channel, m.account) IN (
                 SELECT channel, account FROM fresh WHERE NOT joined) AS joined
               FROM (SELECT DISTINCT channel FROM fresh) AS f
               JOIN channel_member m ON m.channel = f.channel
               JOIN device d ON d.account = m.account AND d.removed_at IS NULL
             ) AS member
           ), list AS (
             SELECT string_agg(device, ''::bytea) FILTER (WHERE room = ${UNBOUNDED}) AS devices,
               string_agg(device, ''::bytea) FILTER (WHERE room < ${UNBOUNDED}) AS others,
               array_agg(room::integer) FILTER (WHERE room < ${UNBOUNDED}) AS rooms,
               (SELECT min(post) FROM fresh f WHERE f.channel = r.channel) AS post
             FROM reader r GROUP BY channel
           ), copy AS MATERIALIZED (
             SELECT *, nextval('envelope_seq_seq') AS seq FROM (
               SELECT r.device, f.id, f.post, NOT r.joined AS request,
                 CASE WHEN f.nth > r.room THEN $9::integer END AS acked_day FROM fresh f
               JOIN reader r ON r.channel = f.channel AND (f.nth <= r.room OR r.device = f.device) ORDER BY f.n
             ) AS given
           ), stored AS (
             INSERT INTO envelope (device, id, seq, at, post, request, acked_day)
             SELECT device, id, seq, $7, post, request, acked_day FROM copy ORDER BY device, id
             ON CONFLICT DO NOTHING RETURNING post
           )
           SELECT k.n, k.member, k.current, k.known, f.post, s.stored, l.devices, l.others, l.rooms,
             l.post IS NOT NULL AS first FROM checked k
           LEFT JOIN fresh f ON f.n = k.n
           LEFT JOIN list l ON l.post = f.post
           LEFT JOIN (SELECT post, count(*) AS stored FROM stored GROUP BY post) AS s ON s.post = f.post
           ORDER BY k.n`,
    values: [...columnsOf(posts), at, idsArray(crowded), dayOf(at)],
  });
  const readers = new Map<ChannelId, Readers>();
  return rows.map((row, index): PostFate => {
    const { channel, device } = posts[index]!;
    if (row.first) readers.set(channel, readersOf(row));
    if (row.post !== null) {
      const { copies, devices, others } = copiesOf(readers.get(channel)!, device);
      return { post: row.post, stored: Number(row.stored ?? 0), copies, devices, others };
    }
    // First: what was accepted stays accepted, whatever changed since.
    if (row.known !== null) return { at: Number(row.known) };
    return { code: row.member ? 'stale-epoch' : 'channel-unknown' };
  });
};

const readersOf = ({ devices, others, rooms }: Row): Readers => ({
  devices: devices ? devicesOf(devices) : [],
  others: others ? devicesOf(others) : [],
  rooms: rooms ?? [],
  posts: 0,
});

/** Of the next post to these readers. */
const copiesOf = (readers: Readers, sender: DeviceId): Readers & { copies: number } => {
  const nth = (readers.posts += 1);
  const some = readers.others.filter((device, n) => nth <= readers.rooms[n]! || device === sender);
  return { ...readers, copies: readers.devices.length + some.length };
};

/** Those of these channels that somebody keeps locked against posts, or would like to. */
export const selectHeld = async (pool: pg.Pool, channels: readonly ChannelId[]): Promise<Set<ChannelId>> => {
  const { rows } = await pool.query<{ n: string }>({
    name: 'held',
    text: `SELECT n FROM unnest($1::bytea[]) WITH ORDINALITY AS u(id, n)
           WHERE NOT pg_try_advisory_xact_lock_shared(${gateOf('id')})`,
    values: [idsArray(channels)],
  });
  return new Set(rows.map(({ n }) => channels[Number(n) - 1]!));
};

/** How many devices are in each channel; without those where there is none. */
export const countReaders = async (
  pool: pg.Pool,
  channels: readonly ChannelId[],
): Promise<Map<ChannelId, number>> => {
  const { rows } = await pool.query<{ n: string; devices: string }>({
    name: 'count-readers',
    text: `SELECT u.n, count(*) AS devices FROM unnest($1::bytea[]) WITH ORDINALITY AS u(channel, n)
           JOIN channel_member m ON m.channel = u.channel
           JOIN device d ON d.account = m.account AND d.removed_at IS NULL GROUP BY u.n`,
    values: [idsArray(channels)],
  });
  return new Map(rows.map(({ n, devices }) => [channels[Number(n) - 1]!, Number(devices)]));
};

/** The devices that posts, each known by one of its rows, still wait for. */
export const selectPostDevices = async (
  pool: pg.Pool,
  posts: readonly { device: DeviceId; id: EnvelopeId }[],
): Promise<DeviceId[]> => {
  const { rows } = await pool.query<{ device: Buffer }>({
    name: 'post-devices',
    text: `SELECT DISTINCT e.device FROM unnest($1::bytea[], $2::bytea[]) AS u(device, id)
           CROSS JOIN LATERAL (
             SELECT post FROM envelope WHERE device = u.device AND id = u.id OFFSET 0
           ) AS known
           CROSS JOIN LATERAL (
             SELECT device FROM envelope WHERE post = known.post AND acked_day IS NULL OFFSET 0
           ) AS e`,
    values: [idsArray(posts.map(({ device }) => device)), idsArray(posts.map(({ id }) => id))],
  });
  return rows.map((row) => idText(row.device));
};

/** The devices of those who have joined a channel. */
export const selectReaders = async (
  pool: pg.Pool,
  channels: readonly ChannelId[],
): Promise<Map<ChannelId, DeviceId[]>> => {
  const { rows } = await pool.query<{ n: string; devices: Buffer }>({
    name: 'readers',
    text: `SELECT u.n, string_agg(d.id, ''::bytea) AS devices
           FROM unnest($1::bytea[]) WITH ORDINALITY AS u(channel, n)
           JOIN channel_member m ON m.channel = u.channel AND m.joined
           JOIN device d ON d.account = m.account AND d.removed_at IS NULL GROUP BY u.n`,
    values: [idsArray(channels)],
  });
  return new Map(rows.map(({ n, devices }) => [channels[Number(n) - 1]!, devicesOf(devices)]));
};
