import type { ErrorCode } from '@sotto/contract/errors';
import type { AccountId, ChannelId, DeviceId, EnvelopeId } from '@sotto/contract/ids';
import type pg from 'pg';
import { bytesArray, idsArray, numbersArray } from './arrays.ts';
import { gateOf } from './channels.ts';
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

/** Refused; had before, at that time; or stored for that many of the devices that there are. */
export type PostFate =
  | { code: ErrorCode }
  | { at: number }
  | { post: string; stored: number; devices: readonly DeviceId[] };

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
  /** With the first post of each channel. */
  devices: Buffer | null;
}

/**
 * One statement, one COMMIT. Channels stay locked against changes until then: nothing under an old epoch is stored after a
 * change. As with envelopes, rows are written in the order of their keys. No two posts may have the same device and id.
 */
export const insertPosts = async (
  pool: pg.Pool,
  posts: readonly PostRow[],
  at: number,
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
             SELECT u.*, m.account IS NOT NULL AND d.id IS NOT NULL AS member,
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
               SELECT n, channel, id, body FROM checked WHERE member AND current AND known IS NULL ORDER BY n
             ) AS accepted
           ), kept AS (
             INSERT INTO post (seq, channel, body) SELECT post, channel, body FROM fresh
           ), reader AS MATERIALIZED (
             SELECT m.channel, d.id AS device FROM (SELECT DISTINCT channel FROM fresh) AS f
             JOIN channel_member m ON m.channel = f.channel
             JOIN device d ON d.account = m.account AND d.removed_at IS NULL
           ), list AS (
             SELECT string_agg(device, ''::bytea) AS devices,
               (SELECT min(post) FROM fresh f WHERE f.channel = r.channel) AS post
             FROM reader r GROUP BY channel
           ), copy AS MATERIALIZED (
             SELECT *, nextval('envelope_seq_seq') AS seq FROM (
               SELECT r.device, f.id, f.post FROM fresh f JOIN reader r ON r.channel = f.channel ORDER BY f.n
             ) AS given
           ), stored AS (
             INSERT INTO envelope (device, id, seq, at, post)
             SELECT device, id, seq, $7, post FROM copy ORDER BY device, id
             ON CONFLICT DO NOTHING RETURNING post
           )
           SELECT k.n, k.member, k.current, k.known, f.post, s.stored, l.devices FROM checked k
           LEFT JOIN fresh f ON f.n = k.n
           LEFT JOIN list l ON l.post = f.post
           LEFT JOIN (SELECT post, count(*) AS stored FROM stored GROUP BY post) AS s ON s.post = f.post
           ORDER BY k.n`,
    values: [...columnsOf(posts), at],
  });
  const devices = new Map<ChannelId, readonly DeviceId[]>();
  return rows.map((row, index): PostFate => {
    const { channel } = posts[index]!;
    if (row.devices) devices.set(channel, devicesOf(row.devices));
    if (row.post !== null)
      return { post: row.post, stored: Number(row.stored ?? 0), devices: devices.get(channel) ?? [] };
    // First: what was accepted stays accepted, whatever changed since.
    if (row.known !== null) return { at: Number(row.known) };
    return { code: row.member ? 'stale-epoch' : 'channel-unknown' };
  });
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

/** The devices that a post, known by one of its rows, still waits for. */
export const selectPostDevices = async (
  pool: pg.Pool,
  { device, id }: { device: DeviceId; id: EnvelopeId },
): Promise<DeviceId[]> => {
  const { rows } = await pool.query<{ device: Buffer }>({
    name: 'post-devices',
    text: `SELECT device FROM envelope WHERE acked_day IS NULL
           AND post = (SELECT post FROM envelope WHERE device = $1 AND id = $2)`,
    values: [Buffer.from(device, 'base64url'), Buffer.from(id, 'base64url')],
  });
  return rows.map((row) => idText(row.device));
};

/** The devices that are in a channel now. */
export const selectReaders = async (
  pool: pg.Pool,
  channels: readonly ChannelId[],
): Promise<Map<ChannelId, DeviceId[]>> => {
  const { rows } = await pool.query<{ n: string; devices: Buffer }>({
    name: 'readers',
    text: `SELECT u.n, string_agg(d.id, ''::bytea) AS devices
           FROM unnest($1::bytea[]) WITH ORDINALITY AS u(channel, n)
           JOIN channel_member m ON m.channel = u.channel
           JOIN device d ON d.account = m.account AND d.removed_at IS NULL GROUP BY u.n`,
    values: [idsArray(channels)],
  });
  return new Map(rows.map(({ n, devices }) => [channels[Number(n) - 1]!, devicesOf(devices)]));
};
