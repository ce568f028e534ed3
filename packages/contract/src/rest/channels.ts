import * as z from 'zod/mini';
import { base64url } from '../bytes.ts';
import { Epoch } from '../envelope.ts';
import { AccountId, ChannelId, DeliveryToken, EnvelopeId, LinkHash, LinkToken } from '../ids.ts';
import { LIMITS } from '../limits.ts';

/** One operation of a group's membership log, signed and sealed: the relay cannot read it. */
export const Entry = base64url({ max: LIMITS.entryBytes });

export const Member = z.strictObject({
  account: AccountId,
  /** May change the channel. */
  admin: z.boolean(),
});
export type Member = z.infer<typeof Member>;

/**
 * A member as it is put. With the right delivery token the account has joined; a new one without it, or with another, is
 * asked, as by a message to a stranger, and counted like one.
 */
export const PutMember = z.extend(Member, { token: z.optional(DeliveryToken) });
export type PutMember = z.infer<typeof PutMember>;

const members = z.array(PutMember).check(z.maxLength(LIMITS.membersPerChannel));

/**
 * `POST /v1/channels`: at epoch 0. Who makes it is a member and an admin, and has joined. Repeating it is answered as the first time.
 * Everybody gets the entry as an envelope of `id`.
 */
export const CreateChannelRequest = z.strictObject({
  channel: ChannelId,
  id: EnvelopeId,
  entry: Entry,
  members: members.check(z.minLength(1)),
});
export type CreateChannelRequest = z.infer<typeof CreateChannelRequest>;

/**
 * `POST /v1/channels/:channel/entries`: the entry and what it does to the list of members, both or neither, if the channel
 * stands at `epoch - 1`; otherwise `stale-epoch`. Admins change anything; others leave, put accounts that are not there yet and
 * no admins, or add an entry that changes no members: whether a group lets them is for its members to check. Repeating it is answered as the first time. Who is a member before or after gets the entry as an envelope, but
 * for who has not joined and has as many requests as are kept. Whoever makes a change has joined.
 */
export const ChangeChannelRequest = z.strictObject({
  id: EnvelopeId,
  epoch: Epoch.check(z.minimum(1)),
  entry: Entry,
  /** Those who join, and those whose bit changes. */
  put: members,
  remove: z.array(AccountId).check(z.maxLength(LIMITS.membersPerChannel)),
});
export type ChangeChannelRequest = z.infer<typeof ChangeChannelRequest>;

/** Where the channel stands now. */
export const EpochResponse = z.strictObject({ epoch: Epoch });
export type EpochResponse = z.infer<typeof EpochResponse>;

/** `GET /v1/channels/:channel?from=<epoch>`: for members. */
export const ChannelResponse = z.strictObject({
  epoch: Epoch,
  members: z.array(Member),
  /** The account that asks has joined. Of the others that is not told. */
  joined: z.boolean(),
  /** From that epoch on, in order. */
  entries: z.array(z.strictObject({ epoch: Epoch, entry: Entry })),
  /** There are later ones. */
  more: z.boolean(),
});
export type ChannelResponse = z.infer<typeof ChannelResponse>;

/** `GET /v1/channels`: those of the account that asks. */
export const ChannelsResponse = z.strictObject({
  channels: z.array(
    z.strictObject({
      channel: ChannelId,
      epoch: Epoch,
      /** Otherwise it is a request: what comes of it is marked so. */
      joined: z.boolean(),
    }),
  ),
});
export type ChannelsResponse = z.infer<typeof ChannelsResponse>;

const sealed = base64url({ max: LIMITS.linkBytes }).check(z.minLength(1));

/**
 * `PUT /v1/channels/:channel/link`: by an admin. `epoch` is that of the entry which made the link, or ended it: of several the
 * one with the highest stands, whenever it comes; a lower one, or one that the channel has not reached, is `stale-epoch`.
 */
export const PutLinkRequest = z.strictObject({
  epoch: Epoch,
  /** Absent: there is none any more. */
  link: z.optional(z.strictObject({ hash: LinkHash, preview: sealed })),
});
export type PutLinkRequest = z.infer<typeof PutLinkRequest>;

/** `POST /v1/channels/:channel/link`: what the link shows. `link-unknown` for any but the one in force. */
export const LinkRequest = z.strictObject({ token: LinkToken });
export type LinkRequest = z.infer<typeof LinkRequest>;
export const LinkResponse = z.strictObject({
  preview: sealed,
  /** How many there are. */
  members: z.int().check(z.minimum(0)),
  /** The account that asks is one of them. */
  member: z.boolean(),
});
export type LinkResponse = z.infer<typeof LinkResponse>;

/**
 * `POST /v1/channels/:channel/link/requests`: what is handed to the devices of the admins, as an envelope of `id`, to let the
 * account in. Repeating it is answered as the first time. The relay adds nobody.
 */
export const JoinRequest = z.strictObject({ token: LinkToken, id: EnvelopeId, body: sealed });
export type JoinRequest = z.infer<typeof JoinRequest>;
