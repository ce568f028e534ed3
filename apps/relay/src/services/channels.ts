import { RelayError } from '@sotto/contract/errors';
import type { AccountId, ChannelId, DeviceId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type {
  ChangeChannelRequest,
  ChannelResponse,
  ChannelsResponse,
  CreateChannelRequest,
  EpochResponse,
  Member,
} from '@sotto/contract/rest/channels';
import type pg from 'pg';
import { Refusal } from '../problem.ts';
import { ChannelRows, selectChannels, transaction } from '../store/channels.ts';
import { idBytes } from '../store/id-bytes.ts';
import type { Doorbell } from './doorbell.ts';

type Roster = ReadonlyMap<AccountId, boolean>;

/** An accepted entry, and who has news because of it. */
interface Outcome {
  epoch: number;
  devices: DeviceId[];
}

interface ChannelParts {
  doorbell: Pick<Doorbell, 'ring'>;
  /** The accept time of an entry. */
  time: () => number;
}

/** The rest of the connections are for messages; who changes a channel may have to wait for another. */
const AT_ONCE = 2;
const QUEUE = 50;

/** @throws Refusal `bad-request` when an account stands there twice */
const refuseTwice = (accounts: AccountId[]): void => {
  if (new Set(accounts).size < accounts.length) throw new Refusal('bad-request', 'an account twice');
};

/**
 * Removing who is no member is refused, not ignored: the list and the signed entry would drift apart.
 * @throws RelayError `channel-unknown` for who is no member, `stale-epoch`, `forbidden`, `bad-request`
 */
const assertAllowed = (
  account: AccountId,
  { epoch, put, remove }: ChangeChannelRequest,
  now: { epoch: number; roster: Roster },
): void => {
  const admin = now.roster.get(account);
  if (admin === undefined) throw new RelayError('channel-unknown');
  if (epoch !== now.epoch + 1) throw new RelayError('stale-epoch');
  if (!admin && (put.length > 0 || remove.some((one) => one !== account))) throw new RelayError('forbidden');
  if (!remove.every((one) => now.roster.has(one))) throw new Refusal('bad-request', 'remove: no member');
};

/**
 * Groups, as far as a relay knows them: which accounts are in one, who of them may change it, and a log of entries that it
 * cannot read. It puts the changes in order, one for each epoch; whether an entry says what its change does is for the
 * members to check.
 */
export class Channels {
  readonly #pool: pg.Pool;
  readonly #parts: ChannelParts;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(pool: pg.Pool, parts: ChannelParts) {
    this.#pool = pool;
    this.#parts = parts;
  }

  /**
   * Again by a member with the same entry is answered as the first time.
   * @throws RelayError `bad-request`, `channel-exists`, `account-unknown`, `too-many-members`, `too-many-channels`,
   * `busy`
   */
  async create(account: AccountId, request: CreateChannelRequest): Promise<EpochResponse> {
    const { channel, members } = request;
    refuseTwice(members.map((member) => member.account));
    if (!members.some((member) => member.account === account && member.admin)) {
      throw new Refusal('bad-request', 'members: the maker is no admin');
    }
    return this.#commit(channel, async (rows) => {
      if (await rows.insert()) {
        await this.#put(rows, members, new Map());
        return this.#append(rows, { ...request, epoch: 0 }, []);
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
   * `too-many-channels`, `busy`
   */
  async change(
    account: AccountId,
    channel: ChannelId,
    request: ChangeChannelRequest,
  ): Promise<EpochResponse> {
    const { epoch, put, remove } = request;
    refuseTwice([...put.map((member) => member.account), ...remove]);
    return this.#commit(channel, async (rows) => {
      const current = await rows.lock();
      if (current === undefined) throw new RelayError('channel-unknown');
      if (epoch <= current && (await rows.has(epoch, idBytes(request.entry)))) {
        // Whoever lost the answer of the COMMIT did not ring.
        return { epoch, devices: await rows.waiting(request.id, remove) };
      }
      const roster = await rows.members();
      assertAllowed(account, request, { epoch: current, roster });
      if (remove.length > 0) await rows.remove(remove);
      if (put.length > 0) await this.#put(rows, put, roster, remove.length);
      const outcome = await this.#append(rows, request, remove);
      if (put.length === 0 && remove.length === roster.size) await rows.delete();
      return outcome;
    });
  }

  /** One state of the channel, with its log from an epoch on. @throws RelayError `channel-unknown` */
  async read(account: AccountId, channel: ChannelId, from: number): Promise<ChannelResponse> {
    const read = async (client: pg.PoolClient): Promise<ChannelResponse> => {
      const rows = new ChannelRows(client, channel);
      const roster = await rows.members();
      const epoch = roster.has(account) ? await rows.epoch() : undefined;
      if (epoch === undefined) throw new RelayError('channel-unknown');
      // No entry is larger than a page.
      const entries = await rows.entries(from, LIMITS.entriesPerPage, LIMITS.pageBytes);
      return {
        epoch,
        members: [...roster].map(([member, admin]) => ({ account: member, admin })),
        entries,
        more: from <= epoch && entries.at(-1)!.epoch < epoch,
      };
    };
    // All of it as of one moment: clients check the list against the log.
    return transaction(this.#pool, read, 'ISOLATION LEVEL REPEATABLE READ READ ONLY');
  }

  /** Those of the account. */
  async list(account: AccountId): Promise<ChannelsResponse> {
    return { channels: await selectChannels(this.#pool, account) };
  }

  /** @throws RelayError `busy` */
  async #commit(channel: ChannelId, work: (rows: ChannelRows) => Promise<Outcome>): Promise<EpochResponse> {
    if (this.#running < AT_ONCE) this.#running += 1;
    else if (this.#queue.length >= QUEUE) throw new RelayError('busy');
    else await new Promise<void>((resolve) => void this.#queue.push(resolve));
    try {
      const { epoch, devices } = await transaction(this.#pool, (client) =>
        work(new ChannelRows(client, channel)),
      );
      this.#parts.doorbell.ring(devices);
      return { epoch };
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }

  async #put(rows: ChannelRows, put: Member[], roster: Roster, removed = 0): Promise<void> {
    const accounts = put.map(({ account }) => account);
    const joining = accounts.filter((account) => !roster.has(account));
    if (roster.size - removed + joining.length > LIMITS.membersPerChannel) {
      throw new RelayError('too-many-members');
    }
    const { known, full } = await rows.check(accounts, joining, LIMITS.channelsPerAccount);
    if (!known) throw new RelayError('account-unknown');
    if (full) throw new RelayError('too-many-channels');
    await rows.put(put);
  }

  async #append(
    rows: ChannelRows,
    { id, epoch, entry }: Pick<ChangeChannelRequest, 'id' | 'epoch' | 'entry'>,
    removed: AccountId[],
  ): Promise<Outcome> {
    const body = idBytes(entry);
    await rows.append(epoch, body);
    return { epoch, devices: await rows.post(id, this.#parts.time(), body, removed) };
  }
}
