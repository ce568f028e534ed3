import * as z from 'zod/mini';
import { base64url, bytes } from './bytes.ts';
import { ChainHead, ChannelId, DeliveryToken, DeviceId, EnvelopeId } from './ids.ts';
import { LIMITS } from './limits.ts';

/** When a relay accepted something: milliseconds since 1970, within what every clock and date can show. */
export const AcceptTime = z.int().check(z.minimum(0), z.maximum(LIMITS.latestTime));

/** Which state of a channel something belongs to; each change of the channel adds one. */
export const Epoch = z.int().check(z.minimum(0), z.maximum(0xffffffff));

const body = bytes({ max: LIMITS.envelopeBytes });
const text = base64url({ max: LIMITS.envelopeBytes });

/**
 * What lets an envelope into the inbox of an account that is not the sender's own: its delivery token, or a channel that
 * the sender is a member of and the recipient has joined. Without either, or with a token of the past, it is a request.
 */
const pass = { token: z.optional(DeliveryToken), channel: z.optional(ChannelId) };

const outgoing = {
  id: EnvelopeId,
  device: DeviceId,
  /** The last event of the recipient's chain that the sender knows. */
  head: ChainHead,
  ...pass,
};

/** What a client hands in: a sealed message for one device. Names no sender. */
export const OutgoingEnvelope = z.strictObject({ ...outgoing, body });
export type OutgoingEnvelope = z.infer<typeof OutgoingEnvelope>;

/** One ciphertext for everybody in a channel, under its epoch. */
export const OutgoingPost = z.strictObject({ id: EnvelopeId, channel: ChannelId, epoch: Epoch, body });
export type OutgoingPost = z.infer<typeof OutgoingPost>;

/** For who is connected this moment: never stored, never acknowledged, and dropped rather than refused. */
export const LiveEnvelope = z.strictObject({ device: DeviceId, ...pass, body });
export type LiveEnvelope = z.infer<typeof LiveEnvelope>;

export const LivePost = z.strictObject({ channel: ChannelId, body });
export type LivePost = z.infer<typeof LivePost>;

const incoming = {
  id: EnvelopeId,
  /** When the relay accepted it: the order on every screen. */
  at: AcceptTime,
  /** Of a post, and of an entry in a channel's log. */
  channel: z.optional(ChannelId),
  /** Nothing vouched for the sender, or the account has not joined the channel. */
  request: z.optional(z.literal(true)),
};

/** What the device gets; an entry of a channel's log may be larger than what anybody sends. */
export const IncomingEnvelope = z.strictObject({ ...incoming, body: bytes({ max: LIMITS.entryBytes }) });
export type IncomingEnvelope = z.infer<typeof IncomingEnvelope>;

export const IncomingLive = z.strictObject({ channel: z.optional(ChannelId), body });
export type IncomingLive = z.infer<typeof IncomingLive>;

/** The same in JSON, for who has no socket. */
export const OutgoingEnvelopeJson = z.strictObject({ ...outgoing, body: text });
export const OutgoingPostJson = z.strictObject({
  id: EnvelopeId,
  channel: ChannelId,
  epoch: Epoch,
  body: text,
});
export const IncomingEnvelopeJson = z.strictObject({
  ...incoming,
  body: base64url({ max: LIMITS.entryBytes }),
});
