import type { AccountId, ChannelId, DeviceId, EnvelopeId } from '@sotto/contract/ids';
import type { Member } from '@sotto/contract/rest/channels';
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

/** At epoch 0, without members. False when there is one of this id; one that is just being made is waited for. */
export const insertChannel = async (client: pg.PoolClient, channel: ChannelId): Promise<boolean> => {
  const { rowCount } = await client.query({
    name: 'insert-channel',
    text: 'INSERT INTO channel (id, epoch) VALUES ($1, 0) ON CONFLICT DO NOTHING',
    values: [idBytes(channel)],
  });
  return rowCount === 1;
};

/**
 * The number of the lock that posts to a channel share and changes have for themselves. Rows are locked by who comes, so
 * that without it posts, one beside the other, could keep a removal waiting for ever; here who comes later waits.
 */
export const gateOf = (channel: string): string => `hashtextextended(encode(${channel}, 'hex'), 0)`;

/**
 * Keeps changes and posts waiting until the end of the transaction, and returns the epoch; undefined when there is no such
 * channel. Whatever else is read of the channel has to be read afterwards: a statement that waits for a row sees only that
 * row as it is then, and all others as they were.
 */
export const lockChannel = async (client: pg.PoolClient, channel: ChannelId): Promise<number | undefined> => {
  await client.query({
    name: 'channel-gate',
    text: `SELECT pg_advisory_xact_lock(${gateOf('$1::bytea')})`,
    values: [idBytes(channel)],
  });
  const { rows } = await client.query<{ epoch: string }>({
    name: 'lock-channel',
    text: 'SELECT epoch FROM channel WHERE id = $1 FOR UPDATE',
    values: [idBytes(channel)],
  });
  return rows[0] && Number(rows[0].epoch);
};

export const selectEpoch = async (client: pg.PoolClient, channel: ChannelId): Promise<number | undefined> => {
  const { rows } = await client.query<{ epoch: string }>({
    name: 'channel-epoch',
    text: 'SELECT epoch FROM channel WHERE id = $1',
    values: [idBytes(channel)],
  });
  return rows[0] && Number(rows[0].epoch);
};

/** Who is in the channel, and whether as an admin, in the order of their ids. */
export const selectMembers = async (
  client: pg.PoolClient,
  channel: ChannelId,
): Promise<Map<AccountId, boolean>> => {
  const { rows } = await client.query<{ account: Buffer; admin: boolean }>({
    name: 'channel-members',
    text: 'SELECT account, admin FROM channel_member WHERE channel = $1 ORDER BY account',
    values: [idBytes(channel)],
  });
  return new Map(rows.map(({ account, admin }) => [idText<AccountId>(account), admin]));
};

/** Whether all of `accounts` exist, and whether one of `joining` is in `most` channels or more. */
export const checkAccounts = async (
  client: pg.PoolClient,
  accounts: AccountId[],
  joining: AccountId[],
  most: number,
): Promise<{ known: boolean; full: boolean }> => {
  const { rows } = await client.query<{ known: string; full: boolean }>({
    name: 'channel-accounts',
    text: `SELECT (SELECT count(*) FROM account WHERE id = ANY($1)) AS known,
             EXISTS (SELECT FROM unnest($2::bytea[]) AS joining (account)
                     WHERE (SELECT count(*) FROM channel_member AS of
                            WHERE of.account = joining.account) >= $3) AS full`,
    values: [accounts.map(idBytes), joining.map(idBytes), most],
  });
  return { known: Number(rows[0]!.known) === accounts.length, full: rows[0]!.full };
};

/** Adds members, or changes what they may do. */
export const putMembers = async (
  client: pg.PoolClient,
  channel: ChannelId,
  members: Member[],
): Promise<void> => {
  await client.query({
    name: 'put-members',
    text: `INSERT INTO channel_member (channel, account, admin)
           SELECT $1, account, admin FROM unnest($2::bytea[], $3::boolean[]) AS put (account, admin)
           ON CONFLICT (channel, account) DO UPDATE SET admin = excluded.admin`,
    values: [
      idBytes(channel),
      members.map(({ account }) => idBytes(account)),
      members.map(({ admin }) => admin),
    ],
  });
};

export const deleteMembers = async (
  client: pg.PoolClient,
  channel: ChannelId,
  accounts: AccountId[],
): Promise<void> => {
  await client.query({
    name: 'delete-members',
    text: 'DELETE FROM channel_member WHERE channel = $1 AND account = ANY($2)',
    values: [idBytes(channel), accounts.map(idBytes)],
  });
};

/** The log with it. */
export const deleteChannel = async (client: pg.PoolClient, channel: ChannelId): Promise<void> => {
  await client.query({
    name: 'delete-channel',
    text: 'DELETE FROM channel WHERE id = $1',
    values: [idBytes(channel)],
  });
};

/** The next entry of the log; the channel stands at its epoch from now on. */
export const insertEntry = async (
  client: pg.PoolClient,
  channel: ChannelId,
  epoch: number,
  entry: Uint8Array,
): Promise<void> => {
  await client.query({
    name: 'insert-entry',
    text: `WITH entry AS (INSERT INTO channel_entry (channel, epoch, entry) VALUES ($1, $2, $3))
           UPDATE channel SET epoch = $2 WHERE id = $1`,
    values: [idBytes(channel), epoch, entry],
  });
};

/** Whether the log has these very bytes at this epoch. */
export const hasEntry = async (
  client: pg.PoolClient,
  channel: ChannelId,
  epoch: number,
  entry: Uint8Array,
): Promise<boolean> => {
  const { rowCount } = await client.query({
    name: 'has-entry',
    text: 'SELECT FROM channel_entry WHERE channel = $1 AND epoch = $2 AND entry = $3',
    values: [idBytes(channel), epoch, entry],
  });
  return rowCount === 1;
};

/** The log from an epoch on: at most `count` entries of at most `bytes` together. */
export const selectEntries = async (
  client: pg.PoolClient,
  channel: ChannelId,
  from: number,
  { count, bytes }: { count: number; bytes: number },
): Promise<{ epoch: number; entry: string }[]> => {
  const { rows } = await client.query<{ epoch: string; entry: Buffer }>({
    name: 'entries',
    text: `SELECT epoch, entry FROM (
             SELECT epoch, entry, sum(octet_length(entry)) OVER (ORDER BY epoch) AS bytes
             FROM (SELECT epoch, entry FROM channel_entry WHERE channel = $1 AND epoch >= $2
                   ORDER BY epoch LIMIT $3) AS page) AS page
           WHERE bytes <= $4 ORDER BY epoch`,
    values: [idBytes(channel), from, count, bytes],
  });
  return rows.map(({ epoch, entry }) => ({ epoch: Number(epoch), entry: idText(entry) }));
};

/** The channels that an account is in. */
export const selectChannels = async (
  pool: pg.Pool,
  account: AccountId,
): Promise<{ channel: ChannelId; epoch: number }[]> => {
  const { rows } = await pool.query<{ id: Buffer; epoch: string }>({
    name: 'channels',
    text: `SELECT id, epoch FROM channel JOIN channel_member ON channel = id
           WHERE account = $1 ORDER BY id`,
    values: [idBytes(account)],
  });
  return rows.map(({ id, epoch }) => ({ channel: idText<ChannelId>(id), epoch: Number(epoch) }));
};

/**
 * Stores a body once, with a row in the inbox of every active device of the channel's members and of `also`. Returns the
 * devices that did not have the id yet.
 */
export const insertPost = async (
  client: pg.PoolClient,
  post: { channel: ChannelId; id: EnvelopeId; at: number; body: Uint8Array; also: AccountId[] },
): Promise<DeviceId[]> => {
  const { rows } = await client.query<{ device: Buffer }>({
    name: 'insert-entry-post',
    // In the order of the devices, so that two that meet in some inboxes do not wait for each other.
    text: `WITH stored AS (INSERT INTO post (channel, body) VALUES ($1, $4) RETURNING seq)
           INSERT INTO envelope (device, id, at, post)
           SELECT device.id, $2, $3, stored.seq FROM stored, device
           WHERE removed_at IS NULL AND account IN (
             SELECT account FROM channel_member WHERE channel = $1 UNION SELECT unnest($5::bytea[]))
           ORDER BY device.id
           ON CONFLICT DO NOTHING RETURNING device`,
    values: [idBytes(post.channel), idBytes(post.id), post.at, post.body, post.also.map(idBytes)],
  });
  return rows.map(({ device }) => idText<DeviceId>(device));
};
