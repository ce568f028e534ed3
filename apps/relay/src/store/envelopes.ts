import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { AccountId, ChannelId, DeviceId, EnvelopeId } from '@sotto/contract/ids';
import type pg from 'pg';
import { bytesArray, flagsArray, idsArray, numbersArray } from './arrays.ts';
import { dayOf } from './days.ts';
import { idText } from './id-bytes.ts';

/** Where envelopes for a device go by: its account, the head of that, and the hash of its delivery token. */
export interface Recipient {
  account: AccountId;
  head: string;
  delivery: string | undefined;
}

/** Of those devices that exist and were not removed. */
export const selectRecipients = async (
  pool: pg.Pool,
  devices: readonly DeviceId[],
): Promise<Map<DeviceId, Recipient>> => {
  const { rows } = await pool.query<{ n: string; account: Buffer; head: Buffer; delivery: Buffer | null }>({
    name: 'recipients',
    text: `SELECT u.n, a.id AS account, a.head, a.delivery
           FROM unnest($1::bytea[]) WITH ORDINALITY AS u(id, n)
           JOIN device d ON d.id = u.id AND d.removed_at IS NULL
           JOIN account a ON a.id = d.account`,
    values: [idsArray(devices)],
  });
  return new Map(
    rows.map(({ n, account, head, delivery }) => [
      devices[Number(n) - 1]!,
      { account: idText(account), head: idText(head), delivery: delivery ? idText(delivery) : undefined },
    ]),
  );
};

/**
 * Those of the pairs where the account is a member of the channel, and whether it has joined. Keys are
 * `channel + account`.
 */
export const selectMemberships = async (
  pool: pg.Pool,
  pairs: readonly { channel: ChannelId; account: AccountId }[],
): Promise<Map<string, boolean>> => {
  const { rows } = await pool.query<{ n: string; joined: boolean }>({
    name: 'memberships',
    text: `SELECT u.n, m.joined FROM unnest($1::bytea[], $2::bytea[]) WITH ORDINALITY AS u(channel, account, n)
           JOIN channel_member m ON m.channel = u.channel AND m.account = u.account`,
    values: [
      idsArray(pairs.map(({ channel }) => channel)),
      idsArray(
        pairs.map(({ account }) => account),
        32,
      ),
    ],
  });
  return new Map(
    rows.map(({ n, joined }) => {
      const { channel, account } = pairs[Number(n) - 1]!;
      return [channel + account, joined];
    }),
  );
};

/** How many requests, but for those of channels, wait for each of these devices; `most` stands for as many or more. */
export const countRequests = async (
  pool: pg.Pool,
  devices: readonly DeviceId[],
  most: number,
): Promise<Map<DeviceId, number>> => {
  const { rows } = await pool.query<{ device: Buffer; count: string }>({
    name: 'requests',
    text: `SELECT u.device, w.count FROM unnest($1::bytea[]) AS u(device)
           CROSS JOIN LATERAL (
             SELECT count(*) FROM (
               SELECT FROM envelope e
               WHERE e.device = u.device AND e.request AND e.post IS NULL AND e.acked_day IS NULL LIMIT $2
             ) AS waiting
           ) AS w`,
    values: [idsArray(devices), most],
  });
  return new Map(rows.map(({ device, count }) => [idText<DeviceId>(device), Number(count)]));
};

/** One text for an envelope of a device; ids have fixed lengths. */
export const envelopeKey = (envelope: { device: DeviceId; id: EnvelopeId }): string =>
  envelope.device + envelope.id;

export interface EnvelopeRow {
  device: DeviceId;
  id: EnvelopeId;
  body: Uint8Array;
  request: boolean;
}

/**
 * One statement, one COMMIT. Returns how many rows are new: an id that the device had is left alone. Rows take their
 * sequence in the order in which they are given, and are written in the order of their keys, so that no two of these
 * wait for each other.
 */
export const insertEnvelopes = async (
  pool: pg.Pool,
  rows: readonly EnvelopeRow[],
  at: number,
): Promise<number> => {
  const { rowCount } = await pool.query({
    name: 'insert-envelopes',
    text: `INSERT INTO envelope (device, id, seq, at, body, request)
           SELECT device, id, seq, $5, body, request FROM (
             SELECT device, id, nextval('envelope_seq_seq') AS seq, body, request
             FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::boolean[]) AS u(device, id, body, request)
             OFFSET 0
           ) AS given ORDER BY device, id
           ON CONFLICT DO NOTHING`,
    values: [
      idsArray(rows.map(({ device }) => device)),
      idsArray(rows.map(({ id }) => id)),
      bytesArray(rows.map(({ body }) => body)),
      flagsArray(rows.map(({ request }) => request)),
      at,
    ],
  });
  return rowCount ?? 0;
};

export interface PlainRow {
  device: DeviceId;
  id: EnvelopeId;
  body: Uint8Array;
  head: string;
  sender: { device: DeviceId; account: AccountId };
  /** Of the token; empty where there is none. */
  hash: Buffer;
}

/**
 * The same where all go to one's own devices or come with the right token, under the head of now: who they are for is
 * looked up by the same statement, and that the sender was not removed. Undefined when that is not so; then nothing is stored.
 */
export const insertPlain = async (
  pool: pg.Pool,
  rows: readonly PlainRow[],
  at: number,
): Promise<number | undefined> => {
  const { rows: found } = await pool.query<{ plain: boolean; stored: string }>({
    name: 'insert-plain',
    text: `WITH given AS MATERIALIZED (
             SELECT u.*, s.id IS NOT NULL
               AND coalesce(a.head = u.head AND (a.id = u.sender OR a.delivery = u.hash), false) AS plain
             FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], $8::bytea[])
               WITH ORDINALITY AS u(device, id, body, head, sender, hash, sender_device, n)
             LEFT JOIN device s ON s.id = u.sender_device AND s.removed_at IS NULL
             LEFT JOIN device d ON d.id = u.device AND d.removed_at IS NULL
             LEFT JOIN account a ON a.id = d.account
           ), stored AS (
             INSERT INTO envelope (device, id, seq, at, body, request)
             SELECT device, id, seq, $7, body, false FROM (
               SELECT *, nextval('envelope_seq_seq') AS seq FROM (
                 SELECT * FROM given WHERE (SELECT bool_and(plain) FROM given) ORDER BY n
               ) AS accepted OFFSET 0
             ) AS numbered ORDER BY device, id
             ON CONFLICT DO NOTHING RETURNING 1
           )
           SELECT (SELECT bool_and(plain) FROM given) AS plain, (SELECT count(*) FROM stored) AS stored`,
    values: [
      idsArray(rows.map(({ device }) => device)),
      idsArray(rows.map(({ id }) => id)),
      bytesArray(rows.map(({ body }) => body)),
      idsArray(
        rows.map(({ head }) => head),
        32,
      ),
      idsArray(
        rows.map(({ sender }) => sender.account),
        32,
      ),
      bytesArray(rows.map(({ hash }) => hash)),
      at,
      idsArray(rows.map(({ sender }) => sender.device)),
    ],
  });
  const { plain, stored } = found[0]!;
  return plain ? Number(stored) : undefined;
};

/** When envelopes were accepted, by key; also those that were acknowledged since. */
export const selectTimes = async (
  pool: pg.Pool,
  envelopes: readonly { device: DeviceId; id: EnvelopeId }[],
): Promise<Map<string, number>> => {
  const { rows } = await pool.query<{ n: string; at: string }>({
    name: 'times',
    text: `SELECT u.n, e.at FROM unnest($1::bytea[], $2::bytea[]) WITH ORDINALITY AS u(device, id, n)
           CROSS JOIN LATERAL (SELECT at FROM envelope WHERE device = u.device AND id = u.id OFFSET 0) AS e`,
    values: [idsArray(envelopes.map(({ device }) => device)), idsArray(envelopes.map(({ id }) => id))],
  });
  return new Map(rows.map(({ n, at }) => [envelopeKey(envelopes[Number(n) - 1]!), Number(at)]));
};

/** What a device asks of its inbox: not those in `except`, at most `limit`, and of bodies at most `bytes`. */
export interface Page {
  device: DeviceId;
  except: readonly EnvelopeId[];
  limit: number;
  bytes: number;
}

export interface Waiting {
  envelopes: IncomingEnvelope[];
  more: boolean;
}

/** The first envelopes that wait for each device, in order of arrival, but at least one. In the order of the pages. */
export const selectWaiting = async (pool: pg.Pool, pages: readonly Page[]): Promise<Waiting[]> => {
  const except = pages.flatMap(({ device, except }) => except.map((id) => ({ device, id })));
  const { rows } = await pool.query<{
    page: string;
    id: Buffer;
    at: string;
    body: Buffer<ArrayBuffer> | null;
    request: boolean;
    channel: Buffer | null;
  }>({
    name: 'waiting',
    // The one past the limit is there to tell that more wait, and comes without its body.
    text: `SELECT u.page, w.id, w.at, w.request, w.channel,
             CASE WHEN w.n <= u.rows AND (w.n = 1 OR w.upto <= u.bytes) THEN w.body END AS body
           FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS u(device, rows, bytes, page)
           CROSS JOIN LATERAL (
             SELECT *, row_number() OVER w AS n, sum(octet_length(body)) OVER w AS upto FROM (
               SELECT e.id, e.seq, e.at, e.request, p.channel, coalesce(e.body, p.body) AS body
               FROM envelope e LEFT JOIN post p ON p.seq = e.post
               WHERE e.device = u.device AND e.acked_day IS NULL
                 AND (e.device, e.id) NOT IN (SELECT * FROM unnest($4::bytea[], $5::bytea[]))
                 AND (e.body IS NOT NULL OR p.body IS NOT NULL)
               ORDER BY e.seq LIMIT u.rows + 1
             ) AS waiting WINDOW w AS (ORDER BY seq ROWS UNBOUNDED PRECEDING)
           ) AS w ORDER BY u.page, w.n`,
    values: [
      idsArray(pages.map(({ device }) => device)),
      numbersArray(pages.map(({ limit }) => limit)),
      numbersArray(pages.map(({ bytes }) => bytes)),
      idsArray(except.map(({ device }) => device)),
      idsArray(except.map(({ id }) => id)),
    ],
  });
  const found = pages.map((): Waiting => ({ envelopes: [], more: false }));
  for (const { page, id, at, body, request, channel } of rows) {
    const waiting = found[Number(page) - 1]!;
    if (!body) waiting.more = true;
    else if (!waiting.more)
      waiting.envelopes.push({
        id: idText(id),
        at: Number(at),
        ...(channel && { channel: idText<ChannelId>(channel) }),
        ...(request && { request }),
        body,
      });
  }
  return found;
};

/** The newest time of any envelope that is kept, as far as it is not before `now`; else 0. */
export const selectLastTime = async (pool: pg.Pool, now: number): Promise<number> => {
  // Within the bound there is an index, and in most cases nothing.
  const { rows } = await pool.query<{ at: string }>(
    'SELECT coalesce(max(at), 0) AS at FROM envelope WHERE at >= $1',
    [now],
  );
  return Number(rows[0]!.at);
};

/**
 * Drops the bodies of devices' envelopes; the rows stay, so that a late retry is recognised. Of the time, only the
 * day is kept: a receipt follows an ack within moments, and both together would tell who writes to whom. Returns the
 * posts among them. Does not wait for the disk: what a crash undoes is handed over once more.
 */
export const clearBodies = async (
  pool: pg.Pool,
  acked: { devices: readonly DeviceId[]; ids: readonly EnvelopeId[] },
  at: number,
): Promise<string[]> => {
  const { rows } = await pool.query<{ posts: string[] }>({
    name: 'clear-bodies',
    // Not the predicate of the index of what waits: analysed while nothing waited it is taken for empty, and joined whole.
    text: `WITH acked AS (
             UPDATE envelope e SET body = NULL, acked_day = $3
             FROM (SELECT device, id FROM unnest($1::bytea[], $2::bytea[]) AS u(device, id)
                   GROUP BY device, id ORDER BY device, id) AS named
             WHERE e.device = named.device AND e.id = named.id AND (e.acked_day IS NULL) IS TRUE
             RETURNING e.post
           )
           SELECT array(SELECT DISTINCT post FROM acked WHERE post IS NOT NULL) AS posts,
                  set_config('synchronous_commit', 'off', true)`,
    values: [idsArray(acked.devices), idsArray(acked.ids), dayOf(at)],
  });
  return rows[0]!.posts;
};

/** Those of these posts that nobody waits for any more are deleted. */
export const deletePosts = async (pool: pg.Pool, posts: readonly string[]): Promise<void> => {
  await pool.query({
    name: 'delete-posts',
    text: `DELETE FROM post WHERE seq = ANY($1::bigint[])
           AND NOT EXISTS (SELECT FROM envelope e WHERE e.post = post.seq AND e.acked_day IS NULL OFFSET 0)`,
    values: [posts],
  });
};
