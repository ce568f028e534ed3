import type { AccountId, ChannelId, DeviceId, EnvelopeId } from '@sotto/contract/ids';
import type { ChannelResponse, ChannelsResponse, Member } from '@sotto/contract/rest/channels';
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
  const { rows } = await pool.query<{ id: Buffer; epoch: string }>({
    name: 'channels',
    text: 'SELECT id, epoch FROM channel JOIN channel_member ON channel = id WHERE account = $1 ORDER BY id',
    values: [idBytes(account)],
  });
  return rows.map(({ id, epoch }) => ({ channel: idText<ChannelId>(id), epoch: Number(epoch) }));
};

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
   * Keeps changes and posts waiting until the end of the transaction, and returns the epoch; undefined when there is no
   * such channel. Whatever else is read of the channel has to be read afterwards: a statement that waits for a row sees
   * only that row as it is then, and all others as they were.
   */
  async lock(): Promise<number | undefined> {
    await this.#run('channel-gate', `SELECT pg_advisory_xact_lock(${gateOf('$1::bytea')})`);
    return this.#epoch('lock-channel', 'SELECT epoch FROM channel WHERE id = $1 FOR UPDATE');
  }

  epoch(): Promise<number | undefined> {
    return this.#epoch('channel-epoch', 'SELECT epoch FROM channel WHERE id = $1');
  }

  /** Who is in the channel, and whether as an admin, in the order of their ids. */
  async members(): Promise<Map<AccountId, boolean>> {
    const { rows } = await this.#run<{ account: Buffer; admin: boolean }>(
      'channel-members',
      'SELECT account, admin FROM channel_member WHERE channel = $1 ORDER BY account',
    );
    return new Map(rows.map(({ account, admin }) => [idText<AccountId>(account), admin]));
  }

  /** Adds members, or changes what they may do. */
  async put(members: Member[]): Promise<void> {
    await this.#run(
      'put-members',
      `INSERT INTO channel_member (channel, account, admin)
       SELECT $1, account, admin FROM unnest($2::bytea[], $3::boolean[]) AS put (account, admin)
       ON CONFLICT (channel, account) DO UPDATE SET admin = excluded.admin`,
      members.map(({ account }) => idBytes(account)),
      members.map(({ admin }) => admin),
    );
  }

  async remove(accounts: AccountId[]): Promise<void> {
    const text = 'DELETE FROM channel_member WHERE channel = $1 AND account = ANY($2)';
    await this.#run('delete-members', text, accounts.map(idBytes));
  }

  /** Whether all of `accounts` exist, and whether one of `joining` is in `most` other channels or more. */
  async check(accounts: AccountId[], joining: AccountId[], most: number) {
    const { rows } = await this.#run<{ known: string; full: boolean }>(
      'channel-accounts',
      `SELECT (SELECT count(*) FROM account WHERE id = ANY($2)) AS known,
         EXISTS (SELECT FROM unnest($3::bytea[]) AS joining (account)
                 WHERE (SELECT count(*) FROM channel_member AS of
                        WHERE of.account = joining.account AND of.channel <> $1) >= $4) AS full`,
      accounts.map(idBytes),
      joining.map(idBytes),
      most,
    );
    return { known: Number(rows[0]!.known) === accounts.length, full: rows[0]!.full };
  }

  /** The next entry of the log; the channel stands at its epoch from now on. */
  async append(epoch: number, entry: Uint8Array): Promise<void> {
    await this.#run(
      'insert-entry',
      `WITH entry AS (INSERT INTO channel_entry (channel, epoch, entry) VALUES ($1, $2, $3))
       UPDATE channel SET epoch = $2 WHERE id = $1`,
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
   * Stores a body once, with a row in the inbox of every active device of the members and of `also`. Returns the devices
   * that did not have the id yet.
   */
  async post(id: EnvelopeId, at: number, body: Uint8Array, also: AccountId[]): Promise<DeviceId[]> {
    const { rows } = await this.#run<{ device: Buffer }>(
      'insert-entry-post',
      // In the order of the devices, so that two that meet in some inboxes do not wait for each other.
      `WITH stored AS (INSERT INTO post (channel, body) VALUES ($1, $4) RETURNING seq)
       INSERT INTO envelope (device, id, at, post)
       SELECT device.id, $2, $3, stored.seq FROM stored, device
       WHERE removed_at IS NULL AND account IN (
         SELECT account FROM channel_member WHERE channel = $1 UNION SELECT unnest($5::bytea[]))
       ORDER BY device.id
       ON CONFLICT DO NOTHING RETURNING device`,
      idBytes(id),
      at,
      body,
      also.map(idBytes),
    );
    return rows.map(({ device }) => idText<DeviceId>(device));
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

  async #epoch(name: string, text: string): Promise<number | undefined> {
    const { rows } = await this.#run<{ epoch: string }>(name, text);
    return rows[0] && Number(rows[0].epoch);
  }

  #run<Row extends pg.QueryResultRow>(name: string, text: string, ...values: unknown[]) {
    return this.#client.query<Row>({ name, text, values: [this.#id, ...values] });
  }
}
