import * as z from 'zod/mini';

/** Base64url without padding of exactly 16 bytes; the last character carries two bits, so one text per value. */
const ID16 = /^[A-Za-z0-9_-]{21}[AQgw]$/;
/** Base64url without padding of exactly 32 bytes. */
const ID32 = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

const id16 = () => z.string().check(z.regex(ID16));
const id32 = () => z.string().check(z.regex(ID32));

/** SHA-256 of the signed content of the first event of the account's chain. Also its fingerprint. */
export const AccountId = id32().brand<'AccountId'>();
export type AccountId = z.infer<typeof AccountId>;

/** The first 16 bytes of SHA-256 of the device's public signing key (65 bytes, uncompressed). */
export const DeviceId = id16().brand<'DeviceId'>();
export type DeviceId = z.infer<typeof DeviceId>;

/** 16 random bytes outside the ciphertext; what the relay is idempotent on. */
export const EnvelopeId = id16().brand<'EnvelopeId'>();
export type EnvelopeId = z.infer<typeof EnvelopeId>;

/** 16 random bytes inside the ciphertext, chosen by the author; stays the same however often it is sent. */
export const MessageId = id16().brand<'MessageId'>();
export type MessageId = z.infer<typeof MessageId>;

/** Direct: the peer's account id. */
export const ConversationId = id32().brand<'ConversationId'>();
export type ConversationId = z.infer<typeof ConversationId>;

/** 16 random bytes that open a registration once. */
export const InviteSecret = id16().brand<'InviteSecret'>();
export type InviteSecret = z.infer<typeof InviteSecret>;

/** SHA-256 of an invite's secret: what the relay knows of an unused invite. */
export const InviteId = id32().brand<'InviteId'>();
export type InviteId = z.infer<typeof InviteId>;

/** Names a channel to the relay: a group's 16 random bytes. */
export const ChannelId = id16().brand<'ChannelId'>();
export type ChannelId = z.infer<typeof ChannelId>;

/** SHA-256 of the signed content of an account chain's last event. */
export const ChainHead = id32().brand<'ChainHead'>();
export type ChainHead = z.infer<typeof ChainHead>;

/** 16 random bytes that an account gives to those who may write to it. */
export const DeliveryToken = id16().brand<'DeliveryToken'>();
export type DeliveryToken = z.infer<typeof DeliveryToken>;

/** SHA-256 of a delivery token: what the relay knows of it. */
export const DeliveryHash = id32().brand<'DeliveryHash'>();
export type DeliveryHash = z.infer<typeof DeliveryHash>;

/** 16 random bytes: the secret of a link to a group. */
export const LinkSecret = id16().brand<'LinkSecret'>();
export type LinkSecret = z.infer<typeof LinkSecret>;

/** The first 16 bytes of the hash of the first entry of a group's log. */
export const LinkPin = id16().brand<'LinkPin'>();
export type LinkPin = z.infer<typeof LinkPin>;

/** 16 bytes out of the secret of a link to a group: shown to the relay by who follows it. */
export const LinkToken = id16().brand<'LinkToken'>();
export type LinkToken = z.infer<typeof LinkToken>;

/** SHA-256 of that: what the relay knows of a link that nobody has followed. */
export const LinkHash = id32().brand<'LinkHash'>();
export type LinkHash = z.infer<typeof LinkHash>;

/** ASCII on purpose: no two handles look alike. Lower case is the only spelling. */
export const Handle = z
  .string()
  .check(z.regex(/^[a-z][a-z0-9_]{2,23}$/))
  .brand<'Handle'>();
export type Handle = z.infer<typeof Handle>;
