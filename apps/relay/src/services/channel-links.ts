import { createHash, timingSafeEqual } from 'node:crypto';
import { RelayError } from '@sotto/contract/errors';
import type { AccountId, ChannelId, DeviceId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type { JoinRequest, LinkRequest, LinkResponse, PutLinkRequest } from '@sotto/contract/rest/channels';
import type pg from 'pg';
import { Refusal } from '../problem.ts';
import { ChannelRows, type Roster, transaction } from '../store/channels.ts';
import { idBytes, idText } from '../store/id-bytes.ts';
import type { Doorbell } from './doorbell.ts';
import { SharedGate } from './gate.ts';
import type { Inboxes } from './inboxes.ts';
import { isOfItsEpoch } from './posts.ts';
import type { Taker } from './way-in.ts';

interface LinkParts {
  doorbell: Pick<Doorbell, 'ring'>;
  limits: Taker;
  inboxes: Pick<Inboxes, 'crowded'>;
  /** The accept time of a request. */
  time: () => number;
}

/** All of them have it: nothing is stored again. */
class Repeated extends Error {}

const GATE = { atOnce: 2, queue: 100, queueEach: 8 };
const NOBODY: Roster = new Map();
/** What is under a link is sealed at no epoch of the channel. What says it is of one could be an entry that is still to come. */
const LINK_EPOCH = 0;

/** What stands under the link that was followed. @throws RelayError `link-unknown` */
const linkOf = async (rows: ChannelRows, token: string): Promise<Uint8Array> => {
  const link = await rows.link();
  const hash = createHash('sha256').update(idBytes(token)).digest();
  if (!link || !timingSafeEqual(link.hash, hash)) throw new RelayError('link-unknown');
  return link.preview;
};

/**
 * Links to channels: the relay knows what who follows one has to show, hands them what is sealed for them, and their request
 * to the admins. It lets nobody in.
 */
export class ChannelLinks {
  readonly #pool: pg.Pool;
  readonly #parts: LinkParts;
  readonly #gate = new SharedGate(GATE);

  constructor(pool: pg.Pool, parts: LinkParts) {
    this.#pool = pool;
    this.#parts = parts;
  }

  /** @throws RelayError `channel-unknown`, `forbidden`, `stale-epoch`, `busy` */
  put(account: AccountId, channel: ChannelId, { epoch, link }: PutLinkRequest): Promise<void> {
    return this.#run(account, channel, async (rows) => {
      const current = await rows.lock();
      const self = current && (await rows.members()).get(account);
      if (!current || !self) throw new RelayError('channel-unknown');
      if (!self.admin) throw new RelayError('forbidden');
      const known = link && { hash: idBytes(link.hash), preview: idBytes(link.preview) };
      if (epoch > current.epoch || !(await rows.putLink(epoch, known))) throw new RelayError('stale-epoch');
    });
  }

  /** @throws RelayError `link-unknown`, `busy` */
  look(account: AccountId, channel: ChannelId, { token }: LinkRequest): Promise<LinkResponse> {
    return this.#run(account, channel, async (rows) => {
      const preview = await linkOf(rows, token);
      const roster = await rows.members();
      return { preview: idText(preview), members: roster.size, member: roster.has(account) };
    });
  }

  /** @throws RelayError `bad-request`, `link-unknown`, `already-member`, `too-many-members`, `too-many-requests`, `busy` */
  async ask(account: AccountId, channel: ChannelId, request: JoinRequest): Promise<void> {
    const { token, id } = request;
    const body = idBytes(request.body);
    if (!isOfItsEpoch({ epoch: LINK_EPOCH, body })) throw new Refusal('bad-request', 'body: epoch');
    const work = async (rows: ChannelRows): Promise<DeviceId[]> => {
      await linkOf(rows, token);
      const roster = await rows.members();
      if (roster.has(account)) throw new RelayError('already-member');
      if (roster.size >= LIMITS.membersPerChannel) throw new RelayError('too-many-members');
      this.#parts.limits.take('joins', channel);
      const post = { id, at: this.#parts.time(), body };
      const { crowded } = this.#parts.inboxes;
      const { devices, used } = await rows.post(post, { also: NOBODY, crowded, admins: true });
      // Who has become an admin since, or linked a device, does not have it yet.
      if (used && devices.length === 0) throw new Repeated();
      return devices;
    };
    try {
      this.#parts.doorbell.ring(await this.#run(account, channel, work));
    } catch (error) {
      if (!(error instanceof Repeated)) throw error;
    }
  }

  #run<T>(account: AccountId, channel: ChannelId, work: (rows: ChannelRows) => Promise<T>): Promise<T> {
    return this.#gate.run(account, () =>
      transaction(this.#pool, (client) => work(new ChannelRows(client, channel))),
    );
  }
}
