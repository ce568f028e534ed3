import type { IncomingLive, LiveEnvelope } from '@sotto/contract/envelope';
import type { LiveEvent } from '@sotto/contract/events/client';
import type { ChannelId, DeviceId } from '@sotto/contract/ids';
import type pg from 'pg';
import { selectMemberships, selectRecipients } from '../store/envelopes.ts';
import { selectReaders } from '../store/posts.ts';
import { Gather } from './gather.ts';
import { ownBody } from './lane.ts';
import { tokenHash, type Taker } from './way-in.ts';
import type { Identity } from './tokens.ts';

/** Past this many that wait for the database, what comes is dropped. */
const PENDING = 1_000;

type Pair = Parameters<typeof selectMemberships>[1][number];

/** Passes on what is of use this moment only: nothing is stored or answered, and whatever is wrong is dropped. */
export class Live {
  readonly #recipients;
  readonly #memberships;
  readonly #readers;
  readonly #limits: Taker;
  readonly #deliver: (devices: readonly DeviceId[], live: IncomingLive) => void;
  #pending = 0;

  /** `deliver` hands it to those of the devices that are connected now, wherever that is. */
  constructor(
    pool: pg.Pool,
    options: { limits: Taker; deliver: (devices: readonly DeviceId[], live: IncomingLive) => void },
  ) {
    this.#limits = options.limits;
    this.#deliver = options.deliver;
    this.#recipients = new Gather(async (devices: DeviceId[]) => {
      const found = await selectRecipients(pool, devices);
      return devices.map((device) => found.get(device));
    });
    this.#memberships = new Gather(async (pairs: Pair[]) => {
      const found = await selectMemberships(pool, pairs);
      return pairs.map(({ channel, account }) => ({
        member: found.has(channel + account),
        joined: found.get(channel + account) === true,
      }));
    });
    this.#readers = new Gather(async (channels: ChannelId[]) => {
      const found = await selectReaders(pool, [...new Set(channels)]);
      return channels.map((channel) => found.get(channel) ?? []);
    });
  }

  pass(identity: Identity, { envelopes, posts }: LiveEvent): void {
    const count = envelopes.length + posts.length;
    if (count === 0 || this.#pending + count > PENDING) return;
    let bytes = 0;
    for (const { body } of [...envelopes, ...posts]) bytes += body.length;
    try {
      this.#limits.take('live', identity.device, count);
      this.#limits.take('liveBytes', identity.device, bytes);
    } catch {
      return;
    }
    this.#pending += count;
    const done = (): void => void (this.#pending -= 1);
    for (const envelope of envelopes) this.#passEnvelope(identity, ownBody(envelope)).then(done, done);
    for (const post of posts) this.#passPost(identity, ownBody(post)).then(done, done);
  }

  async #passEnvelope({ account }: Identity, envelope: LiveEnvelope): Promise<void> {
    const { device, token, channel, body } = envelope;
    const recipient = await this.#recipients.ask(device);
    if (!recipient) return;
    const inChannel = async (): Promise<boolean> => {
      if (channel === undefined) return false;
      const [from, to] = await Promise.all([
        this.#memberships.ask({ channel, account }),
        this.#memberships.ask({ channel, account: recipient.account }),
      ]);
      return from.member && to.joined;
    };
    const admitted =
      recipient.account === account ||
      (token !== undefined && recipient.delivery === tokenHash(token)) ||
      (await inChannel());
    if (admitted) this.#deliver([device], { body });
  }

  async #passPost(identity: Identity, live: IncomingLive & { channel: ChannelId }): Promise<void> {
    const { channel } = live;
    const [{ member }, readers] = await Promise.all([
      this.#memberships.ask({ channel, account: identity.account }),
      this.#readers.ask(channel),
    ]);
    if (!member) return;
    const others = readers.filter((device) => device !== identity.device);
    this.#limits.take('liveCopies', identity.account, others.length);
    this.#deliver(others, live);
  }
}
