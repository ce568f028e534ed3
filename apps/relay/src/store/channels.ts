import type { AccountId, ChannelId, DeviceId, EnvelopeId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type { ChannelResponse, ChannelsResponse } from '@sotto/contract/rest/channels';
import type pg from 'pg';
import { idBytes, idText } from './id-bytes.ts';

/** Runs `work` between BEGIN and COMMIT; a failure takes everything back and is thrown on. */
export const transaction = async <T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  mode = '',
): Promise<T> => {
  const client = await pool.connect();
  try {
    await client.query(`BEGIN ${mode}`);
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    // A connection that cannot roll back is of no more use.
    const broken = await client.query('ROLLBACK').then(
      () => false,
      () => true,
    );
    client.release(broken);
    throw error;
  }
};

/**
 * The number of the lock that posts to a channel share and changes have for themselves. Rows are locked by who comes, so
 * that without it posts, one beside the other, could keep a removal waiting for ever; here who comes later waits.
 */
export const gateOf = (channel: string): string => `hashtextextended(encode(${channel}, 'hex'), 0)`;

/** The channels that an account is in. */
export const selectChannels = async (
  pool: pg.Pool,
  account: AccountId,
): Promise<ChannelsResponse['channels']> => {
  const { rows } = await pool.query<{ id: Buffer; epoch: string; joined: boolean }>({
    name: 'channels',
    text: `SELECT id, epoch, joined FROM channel JOIN channel_member ON channel = id
           WHERE account = $1 ORDER BY id`,
    values: [idBytes(account)],
  });
  return rows.map(({ id, epoch, joined }) => ({
    channel: idText<ChannelId>(id),
    epoch: Number(epoch),
    joined,
  }));
};

/** A member as the relay knows it. */
export interface Place {
  admin: boolean;
  /** It agreed to be in the channel. */
  joined: boolean;
}
export type Roster = ReadonlyMap<AccountId, Place>;

/**
 * How many more requests a device (a column with its table's name) gets through channels, as SQL. Those that were fetched
 * count too, so that nobody who fetches them is flooded with them. What was acknowledged is forgotten by and by, and so there is room again.
 */
export const requestRoomOf = (device: string): string =>
  `${LIMITS.requestsPerDevice} - (SELECT count(*) FROM (
     SELECT FROM envelope had WHERE had.device = ${device} AND had.request AND had.post IS NOT NULL
     LIMIT ${LIMITS.requestsPerDevice}
   ) AS had)`;

/** What the database has of a channel, within a transaction. */
export class ChannelRows {
  readonly #client: pg.PoolClient;
  readonly #id: Uint8Array;

  constructor(client: pg.PoolClient, channel: ChannelId) {
    this.#client = client;
    this.#id = idBytes(channel);
  }

  /** At epoch 0, without members. False when there is one of this id; one that is just being made is waited for. */
  async insert(): Promise<boolean> {
    const text = 'INSERT INTO channel (id, epoch) VALUES ($1, 0) ON CONFLICT DO NOTHING';
    return (await this.#run('insert-channel', text)).rowCount === 1;
  }

  /** The log with it. */
  async delete(): Promise<void> {
    await this.#run('delete-channel', 'DELETE FROM channel WHERE id = $1');
  }

  /**
   * Keeps changes and posts waiting until the end of the transaction, and returns the epoch and the bytes of the log;
   * undefined when there is no such channel. Whatever else is read of the channel has to be read afterwards: a statement that waits for a row sees
   * only that row as it is then, and all others as they were.
   */
  async lock(): Promise<{ epoch: number; bytes: number } | undefined> {
    await this.#run('channel-gate', `SELECT pg_advisory_xact_lock(${gateOf('$1::bytea')})`);
    const text = 'SELECT epoch, log_bytes AS bytes FROM channel WHERE id = $1 FOR UPDATE';
    const { rows } = await this.#run<{ epoch: string; bytes: string }>('lock-channel', text);
    return rows[0] && { epoch: Number(rows[0].epoch), bytes: Number(rows[0].bytes) };
  }

  async epoch(): Promise<number | undefined> {
    const text = 'SELECT epoch FROM channel WHERE id = $1';
    const { rows } = await this.#run<{ epoch: string }>('channel-epoch', text);
    return rows[0] && Number(rows[0].epoch);
  }

  /** The link as it was put last. */
  async link(): Promise<{ epoch: number; hash: Uint8Array; preview: Uint8Array } | undefined> {
    const { rows } = await this.#run<{ epoch: string; hash: Buffer; preview: Buffer }>(
      'channel-link',
      `SELECT link_epoch AS epoch, link_hash AS hash, link_preview AS preview FROM channel
       WHERE id = $1 AND link_hash IS NOT NULL`,
    );
    return rows[0] && { ...rows[0], epoch: Number(rows[0].epoch) };
  }

  /** False when one of a later epoch stands there. */
  async putLink(
    epoch: number,
    link: { hash: Uint8Array; preview: Uint8Array } | undefined,
  ): Promise<boolean> {
    const { rowCount } = await this.#run(
      'put-channel-link',
      `UPDATE channel SET link_epoch = $2, link_hash = $3, link_preview = $4
       WHERE id = $1 AND (link_epoch IS NULL OR link_epoch <= $2)`,
      epoch,
      link?.hash ?? null,
      link?.preview ?? null,
    );
    return rowCount === 1;
  }

  /** Who is in the channel, in the order of their ids. */
  async members(): Promise<Map<AccountId, Place>> {
    const { rows } = await this.#run<{ account: Buffer } & Place>(
      'channel-members',
      'SELECT account, admin, joined FROM channel_member WHERE channel = $1 ORDER BY account',
    );
    return new Map(rows.map(({ account, admin, joined }) => [idText<AccountId>(account), { admin, joined }]));
  }

  /** Adds members, or changes what they may do. Who has joined stays so. */
  async put(members: readonly ({ account: AccountId } & Place)[]): Promise<void> {
    await this.#run(
      'put-members',
      `INSERT INTO channel_member (channel, account, admin, joined)
       SELECT $1, put.* FROM unnest($2::bytea[], $3::boolean[], $4::boolean[]) AS put (account, admin, joined)
       ON CONFLICT (channel, account)
       DO UPDATE SET admin = excluded.admin, joined = channel_member.joined OR excluded.joined`,
      members.map(({ account }) => idBytes(account)),
      members.map(({ admin }) => admin),
      members.map(({ joined }) => joined),
    );
  }

  /** The account agrees to be in the channel. False when it is no member. */
  async join(account: AccountId): Promise<boolean> {
    const text = 'UPDATE channel_member SET joined = true WHERE channel = $1 AND account = $2';
    return (await this.#run('join-channel', text, idBytes(account))).rowCount === 1;
  }

  async remove(accounts: AccountId[]): Promise<void> {
    const text = 'DELETE FROM channel_member WHERE channel = $1 AND account = ANY($2)';
    await this.#run('delete-members', text, accounts.map(idBytes));
  }

  /**
   * Whether all of `accounts` exist, and whether one of `added` is in too many other channels: it has joined as many as can
   * be, or it is to be asked, and that many others ask it already.
   */
  async check(
    accounts: AccountId[],
    added: readonly Pick<Place & { account: AccountId }, 'account' | 'joined'>[],
  ) {
    const { rows } = await this.#run<{ known: string; full: boolean }>(
      'channel-accounts',
      `SELECT (SELECT count(*) FROM account WHERE id = ANY($2)) AS known,
         EXISTS (SELECT FROM unnest($3::bytea[], $4::boolean[]) AS added (account, joined)
                 CROSS JOIN LATERAL (
                   SELECT count(*) FILTER (WHERE of.joined) AS places, count(*) FILTER (WHERE NOT of.joined) AS asked
                   FROM channel_member AS of WHERE of.account = added.account AND of.channel <> $1
                 ) AS others
                 WHERE places >= $5 OR NOT added.joined AND asked >= $6) AS full`,
      accounts.map(idBytes),
      added.map(({ account }) => idBytes(account)),
      added.map(({ joined }) => joined),
      LIMITS.channelsPerAccount,
      LIMITS.askedPerAccount,
    );
    return { known: Number(rows[0]!.known) === accounts.length, full: rows[0]!.full };
  }

  /** Those whose delivery token has this hash. */
  async vouched(shown: readonly { account: AccountId; hash: string }[]): Promise<Set<AccountId>> {
    const { rows } = await this.#client.query<{ id: Buffer }>({
      name: 'vouched',
      text: `SELECT id FROM unnest($1::bytea[], $2::bytea[]) AS shown (account, hash)
             JOIN account ON id = shown.account AND delivery = shown.hash`,
      values: [shown.map(({ account }) => idBytes(account)), shown.map(({ hash }) => idBytes(hash))],
    });
    return new Set(rows.map(({ id }) => idText<AccountId>(id)));
  }

  /** The next entry of the log; the channel stands at its epoch from now on. */
  async append(epoch: number, entry: Uint8Array): Promise<void> {
    await this.#run(
      'insert-entry',
      `WITH entry AS (INSERT INTO channel_entry (channel, epoch, entry) VALUES ($1, $2, $3))
       UPDATE channel SET epoch = $2, log_bytes = log_bytes + octet_length($3) WHERE id = $1`,
      epoch,
      entry,
    );
  }

  /** Whether the log has these very bytes at this epoch. */
  async has(epoch: number, entry: Uint8Array): Promise<boolean> {
    const text = 'SELECT FROM channel_entry WHERE channel = $1 AND epoch = $2 AND entry = $3';
    return (await this.#run('has-entry', text, epoch, entry)).rowCount === 1;
  }

  /** The log from an epoch on: at most `count` entries of at most `bytes` together. */
  async entries(from: number, count: number, bytes: number): Promise<ChannelResponse['entries']> {
    const { rows } = await this.#run<{ epoch: string; entry: Buffer }>(
      'entries',
      `SELECT epoch, entry FROM (
         SELECT epoch, entry, sum(octet_length(entry)) OVER (ORDER BY epoch) AS bytes
         FROM (SELECT epoch, entry FROM channel_entry WHERE channel = $1 AND epoch >= $2
               ORDER BY epoch LIMIT $3) AS page) AS page
       WHERE bytes <= $4 ORDER BY epoch`,
      from,
      count,
      bytes,
    );
    return rows.map(({ epoch, entry }) => ({ epoch: Number(epoch), entry: idText(entry) }));
  }

  /**
   * Stores a body once, with a row in the inbox of every active device of the members and of `also`, who are none any
   * more: but for `crowded` ones, and those that have as many requests as are kept; with `admins` only of those. Returns the
   * devices that got it, and whether one of them had the id already.
   */
  async post(
    { id, at, body }: { id: EnvelopeId; at: number; body: Uint8Array },
    { also, crowded, admins = false }: { also: Roster; crowded: readonly DeviceId[]; admins?: boolean },
  ): Promise<{ devices: DeviceId[]; used: boolean }> {
    const { rows } = await this.#run<{ devices: Buffer[]; count: string }>(
      'insert-entry-post',
      // In the order of the devices, so that two that meet in some inboxes do not wait for each other.
      `WITH stored AS (
         INSERT INTO post (channel, body) VALUES ($1, $4) RETURNING seq
       ), reader AS MATERIALIZED (
         SELECT device.id, NOT told.joined AS request FROM (
           SELECT account, joined FROM channel_member WHERE channel = $1 AND (admin OR NOT $8)
           UNION ALL SELECT * FROM unnest($5::bytea[], $6::boolean[])
         ) AS told JOIN device ON device.account = told.account AND removed_at IS NULL
         WHERE device.id <> ALL ($7) AND (told.joined OR ${requestRoomOf('device.id')} > 0)
       ), copy AS (
         INSERT INTO envelope (device, id, at, post, request)
         SELECT reader.id, $2, $3, stored.seq, request FROM stored, reader ORDER BY reader.id
         ON CONFLICT DO NOTHING RETURNING device
       )
       SELECT array(SELECT device FROM copy) AS devices, (SELECT count(*) FROM reader) AS count`,
      idBytes(id),
      at,
      body,
      [...also.keys()].map(idBytes),
      [...also.values()].map(({ joined }) => joined),
      crowded.map(idBytes),
      admins,
    );
    const { devices, count } = rows[0]!;
    return {
      devices: devices.map((device) => idText<DeviceId>(device)),
      used: devices.length < Number(count),
    };
  }

  /** The devices of the members and of `also` that an entry's envelope still waits for. */
  async waiting(id: EnvelopeId, also: AccountId[]): Promise<DeviceId[]> {
    const { rows } = await this.#run<{ device: Buffer }>(
      'entry-waiting',
      `SELECT e.device FROM device d
       JOIN envelope e ON e.device = d.id AND e.id = $2 AND e.acked_day IS NULL
       JOIN post ON post.seq = e.post AND post.channel = $1
       WHERE d.removed_at IS NULL AND d.account IN (
         SELECT account FROM channel_member WHERE channel = $1 UNION SELECT unnest($3::bytea[]))`,
      idBytes(id),
      also.map(idBytes),
    );
    return rows.map(({ device }) => idText<DeviceId>(device));
  }

  #run<Row extends pg.QueryResultRow>(name: string, text: string, ...values: unknown[]) {
    return this.#client.query<Row>({ name, text, values: [this.#id, ...values] });
  }
}
