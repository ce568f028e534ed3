import { RelayError } from '@sotto/contract/errors';
import type { AccountId, ChannelId, DeviceId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type {
  ChangeChannelRequest,
  ChannelResponse,
  ChannelsResponse,
  CreateChannelRequest,
  EpochResponse,
  PutMember,
} from '@sotto/contract/rest/channels';
import type pg from 'pg';
import { Refusal } from '../problem.ts';
import { ChannelRows, type Roster, selectChannels, transaction } from '../store/channels.ts';
import { idBytes } from '../store/id-bytes.ts';
import type { Doorbell } from './doorbell.ts';
import { SharedGate } from './gate.ts';
import type { Inboxes } from './inboxes.ts';
import { type Taker, tokenHash } from './way-in.ts';

/** An accepted entry, and who has news because of it. */
interface Outcome {
  epoch: number;
  devices: DeviceId[];
}

interface ChannelParts {
  doorbell: Pick<Doorbell, 'ring'>;
  limits: Taker;
  inboxes: Pick<Inboxes, 'crowded'>;
  /** Whom one change may ask. */
  strangersAtOnce: number;
  /** The accept time of an entry. */
  time: () => number;
}

/** The rest of the connections are for messages; who changes a channel may have to wait for another. */
const GATE = { atOnce: 2, queue: 100, queueEach: 16 };
/** Of a log, for who is no admin: so that nobody can fill it for those who are. */
const SHARE = 0.5;
const NOBODY: Roster = new Map();

/** @throws Refusal `bad-request` when an account stands there twice */
const refuseTwice = (accounts: AccountId[]): void => {
  if (new Set(accounts).size < accounts.length) throw new Refusal('bad-request', 'an account twice');
};

const bytesOf = (entry: string): number => Buffer.byteLength(entry, 'base64url');

/**
 * Removing who is no member is refused, not ignored: the list and the signed entry would drift apart.
 * @throws RelayError `channel-unknown` for who is no member, `stale-epoch`, `forbidden`, `bad-request`, `channel-full`
 */
const assertAllowed = (
  account: AccountId,
  { epoch, put, remove, entry }: ChangeChannelRequest,
  now: { epoch: number; bytes: number; roster: Roster },
): void => {
  const member = now.roster.get(account);
  if (!member) throw new RelayError('channel-unknown');
  const { admin } = member;
  if (epoch !== now.epoch + 1) throw new RelayError('stale-epoch');
  // Whether this group lets its members add others the log says, which the relay cannot read.
  const promotes = put.some((one) => one.admin || now.roster.has(one.account));
  if (!admin && (promotes || remove.some((one) => one !== account))) throw new RelayError('forbidden');
  if (!remove.every((one) => now.roster.has(one))) throw new Refusal('bad-request', 'remove: no member');
  // Removals are as many as there are members.
  const removal = put.length === 0 && remove.length > 0;
  const most = LIMITS.logBytesPerChannel * (admin ? 1 : SHARE);
  if (!removal && now.bytes + bytesOf(entry) > most) throw new RelayError('channel-full');
};

/**
 * Groups, as far as a relay knows them: which accounts are in one, who of them may change it, and a log of entries that it
 * cannot read. It puts the changes in order, one for each epoch; whether an entry says what its change does is for the
 * members to check.
 */
export class Channels {
  readonly #pool: pg.Pool;
  readonly #parts: ChannelParts;
  readonly #changes = new SharedGate(GATE);
  readonly #reads = new SharedGate(GATE);

  constructor(pool: pg.Pool, parts: ChannelParts) {
    this.#pool = pool;
    this.#parts = parts;
  }

  /**
   * Again by a member with the same entry is answered as the first time.
   * @throws RelayError `bad-request`, `channel-exists`, `account-unknown`, `too-many-members`, `too-many-channels`,
   * `too-many-requests`, `busy`
   */
  async create(account: AccountId, request: CreateChannelRequest): Promise<EpochResponse> {
    const { channel, members } = request;
    refuseTwice(members.map((member) => member.account));
    if (!members.some((member) => member.account === account && member.admin)) {
      throw new Refusal('bad-request', 'members: the maker is no admin');
    }
    return this.#commit(account, channel, async (rows) => {
      if (await rows.insert()) {
        await this.#put(rows, account, { put: members, roster: NOBODY });
        return this.#append(rows, account, { ...request, epoch: 0 });
      }
      const roster = await rows.members();
      if (!roster.has(account) || !(await rows.has(0, idBytes(request.entry)))) {
        throw new RelayError('channel-exists');
      }
      return { epoch: 0, devices: await rows.waiting(request.id, []) };
    });
  }

  /**
   * The entry that the log has at its epoch already is answered as the first time, whoever brings it: who left is no
   * member any more when the answer was lost. A channel without members is deleted.
   * @throws RelayError `bad-request`, `channel-unknown`, `forbidden`, `stale-epoch`, `account-unknown`, `too-many-members`,
   * `too-many-channels`, `channel-full`, `too-many-requests`, `busy`
   */
  async change(
    account: AccountId,
    channel: ChannelId,
    request: ChangeChannelRequest,
  ): Promise<EpochResponse> {
    const { epoch, put, remove } = request;
    refuseTwice([...put.map((member) => member.account), ...remove]);
    return this.#commit(account, channel, async (rows) => {
      const current = await rows.lock();
      if (!current) throw new RelayError('channel-unknown');
      if (epoch <= current.epoch && (await rows.has(epoch, idBytes(request.entry)))) {
        // Whoever lost the answer of the COMMIT did not ring.
        return { epoch, devices: await rows.waiting(request.id, remove) };
      }
      const roster = await rows.members();
      assertAllowed(account, request, { ...current, roster });
      if (remove.length > 0) await rows.remove(remove);
      if (put.length > 0) await this.#put(rows, account, { put, roster, removed: remove.length });
      if (!roster.get(account)!.joined) await rows.join(account);
      const removed = new Map(remove.map((one) => [one, roster.get(one)!]));
      const outcome = await this.#append(rows, account, request, removed);
      if (put.length === 0 && remove.length === roster.size) await rows.delete();
      return outcome;
    });
  }

  /** One state of the channel, with its log from an epoch on. @throws RelayError `channel-unknown`, `busy` */
  async read(account: AccountId, channel: ChannelId, from: number): Promise<ChannelResponse> {
    const read = async (client: pg.PoolClient): Promise<ChannelResponse> => {
      const rows = new ChannelRows(client, channel);
      const roster = await rows.members();
      const epoch = roster.has(account) ? await rows.epoch() : undefined;
      const self = roster.get(account);
      if (epoch === undefined || !self) throw new RelayError('channel-unknown');
      // No entry is larger than a page.
      const entries = await rows.entries(from, LIMITS.entriesPerPage, LIMITS.pageBytes);
      return {
        epoch,
        members: [...roster].map(([member, { admin }]) => ({ account: member, admin })),
        joined: self.joined,
        entries,
        more: from <= epoch && entries.at(-1)!.epoch < epoch,
      };
    };
    // All of it as of one moment: clients check the list against the log.
    return this.#reads.run(account, () =>
      transaction(this.#pool, read, 'ISOLATION LEVEL REPEATABLE READ READ ONLY'),
    );
  }

  /** Those of the account. */
  async list(account: AccountId): Promise<ChannelsResponse> {
    return { channels: await selectChannels(this.#pool, account) };
  }

  /**
   * From now on it is the account's own: what comes of it is no request any more. Again is no error.
   * @throws RelayError `channel-unknown` for who is no member, `busy`
   */
  async join(account: AccountId, channel: ChannelId): Promise<void> {
    const joined = await this.#transaction(account, channel, (rows) => rows.join(account));
    if (!joined) throw new RelayError('channel-unknown');
  }

  /** @throws RelayError `busy` */
  #transaction<T>(
    account: AccountId,
    channel: ChannelId,
    work: (rows: ChannelRows) => Promise<T>,
  ): Promise<T> {
    return this.#changes.run(account, () =>
      transaction(this.#pool, (client) => work(new ChannelRows(client, channel))),
    );
  }

  /** @throws RelayError `busy` */
  async #commit(
    account: AccountId,
    channel: ChannelId,
    work: (rows: ChannelRows) => Promise<Outcome>,
  ): Promise<EpochResponse> {
    const { epoch, devices } = await this.#transaction(account, channel, work);
    this.#parts.doorbell.ring(devices);
    return { epoch };
  }

  /** Who is put without its token is asked by that, as a stranger is by a message, and counted like one. */
  async #put(
    rows: ChannelRows,
    by: AccountId,
    { put, roster, removed = 0 }: { put: PutMember[]; roster: Roster; removed?: number },
  ): Promise<void> {
    const accounts = put.map(({ account }) => account);
    const added = accounts.filter((account) => !roster.has(account));
    if (roster.size - removed + added.length > LIMITS.membersPerChannel) {
      throw new RelayError('too-many-members');
    }
    const shown = put.flatMap(({ account, token }) =>
      token === undefined ? [] : [{ account, hash: tokenHash(token) }],
    );
    const vouched = await rows.vouched(shown);
    const joined = (account: AccountId): boolean => account === by || vouched.has(account);
    const places = added.map((account) => ({ account, joined: joined(account) }));
    const { known, full } = await rows.check(accounts, places);
    if (!known) throw new RelayError('account-unknown');
    if (full) throw new RelayError('too-many-channels');
    const strangers = places.filter((place) => !place.joined).length;
    const { strangersAtOnce } = this.#parts;
    // Nobody ever has that many points.
    if (strangers > strangersAtOnce) {
      throw new Refusal('bad-request', `put: more than ${strangersAtOnce} without their tokens`);
    }
    if (strangers > 0) this.#parts.limits.take('strangers', by, strangers);
    await rows.put(put.map(({ account, admin }) => ({ account, admin, joined: joined(account) })));
  }

  async #append(
    rows: ChannelRows,
    by: AccountId,
    { id, epoch, entry }: Pick<ChangeChannelRequest, 'id' | 'epoch' | 'entry'>,
    removed = NOBODY,
  ): Promise<Outcome> {
    const body = idBytes(entry);
    this.#parts.limits.take('entryBytes', by, body.length);
    await rows.append(epoch, body);
    const { crowded } = this.#parts.inboxes;
    const post = { id, at: this.#parts.time(), body };
    const { devices, used } = await rows.post(post, { also: removed, crowded });
    // Whoever has it would not be told of the entry.
    if (used) throw new Refusal('bad-request', 'id: is in use');
    return { epoch, devices };
  }
}
