import * as z from 'zod/mini';
import { base64url } from './bytes.ts';
import {
  AccountId,
  ChainHead,
  ChannelId,
  ConversationId,
  DeliveryToken,
  DeviceId,
  Handle,
  LinkSecret,
  MessageId,
} from './ids.ts';
import { LIMITS } from './limits.ts';

const name = z.string().check(z.minLength(1), z.maxLength(LIMITS.nameCharacters));
const text = z.string().check(z.minLength(1), z.maxLength(LIMITS.textCharacters));
/** Milliseconds since 1970, by the author's clock; the order on screen is the relay's. */
const sentAt = z.int().check(z.minimum(0), z.maximum(LIMITS.latestTime));

/** A message in the same conversation, wherever it is spoken of. */
export const MessageRef = z.strictObject({ author: AccountId, id: MessageId });
export type MessageRef = z.infer<typeof MessageRef>;

/** What every message that stands in a conversation may have. */
const message = {
  id: MessageId,
  sentAt,
  /** What it answers. */
  reply: z.optional(MessageRef),
  /** Who is named in the text: from where, in UTF-16 code units, and how long. */
  mentions: z.optional(
    z
      .array(
        z.strictObject({
          account: AccountId,
          start: z.int().check(z.minimum(0)),
          length: z.int().check(z.minimum(1)),
        }),
      )
      .check(z.minLength(1), z.maxLength(LIMITS.mentions)),
  ),
  /** Seconds after which it goes, from when it was read. */
  timer: z.optional(z.int().check(z.minimum(1), z.maximum(LIMITS.timerSeconds))),
  forwarded: z.optional(z.literal(true)),
};

export const TextContent = z.strictObject({ kind: z.literal('text'), ...message, text });
export type TextContent = z.infer<typeof TextContent>;

const side = z.int().check(z.minimum(1), z.maximum(65_535));

const file = {
  /** Where the ciphertext lies. */
  blob: base64url({ min: 16, max: 16 }),
  /** Of this file alone. */
  key: base64url({ min: 32, max: 32 }),
  /** Over the ciphertext. */
  hash: base64url({ min: 32, max: 32 }),
  /** Of the file, in bytes. */
  size: z.int().check(z.minimum(0), z.maximum(LIMITS.fileBytes)),
  /** A media type in lower case, as the sender has it: to be held against the bytes before anything is made of it. */
  type: z.string().check(z.regex(/^[a-z0-9.+-]{1,64}\/[a-z0-9.+-]{1,64}$/)),
  width: z.optional(side),
  height: z.optional(side),
};

/** A file that travels beside its message, in chunks of its own. */
export const FileReference = z.strictObject({
  ...file,
  name: z.string().check(z.minLength(1), z.maxLength(LIMITS.fileNameCharacters)),
  /** Milliseconds, of sound and film. */
  duration: z.optional(z.int().check(z.minimum(0), z.maximum(24 * 60 * 60 * 1000))),
  /** Loudness of a voice note, one byte for each equal part of it. */
  waveform: z.optional(base64url({ max: 128 })),
  /** To be seen at once: a few bytes of blur. */
  blur: z.optional(base64url({ max: 64 })),
  thumbnail: z.optional(z.strictObject(file)),
});
export type FileReference = z.infer<typeof FileReference>;

export const AttachmentContent = z.strictObject({
  kind: z.literal('attachment'),
  ...message,
  text: z.optional(text),
  files: z.array(FileReference).check(z.minLength(1), z.maxLength(LIMITS.filesPerMessage)),
});
export type AttachmentContent = z.infer<typeof AttachmentContent>;

/** What one account has for a message, instead of what it had; null takes it back. */
export const ReactionContent = z.strictObject({
  kind: z.literal('reaction'),
  to: MessageRef,
  sentAt,
  emoji: z.nullable(z.string().check(z.minLength(1), z.maxLength(LIMITS.emojiCharacters))),
});
export type ReactionContent = z.infer<typeof ReactionContent>;

/** Another text for a message of one's own. */
export const EditContent = z.strictObject({
  kind: z.literal('edit'),
  message: MessageId,
  sentAt,
  text,
  mentions: message.mentions,
});
export type EditContent = z.infer<typeof EditContent>;

/** For everybody: messages of one's own, or, where the group lets its admins, of others. */
export const DeleteContent = z.strictObject({
  kind: z.literal('delete'),
  messages: z.array(MessageRef).check(z.minLength(1), z.maxLength(LIMITS.receiptMessages)),
  sentAt,
});
export type DeleteContent = z.infer<typeof DeleteContent>;

/** Says of messages of the recipient that they arrived at, or were read by, the sender of this. */
export const ReceiptContent = z.strictObject({
  kind: z.literal('receipt'),
  /** The group that they stand in: what a receipt says is for the author alone. */
  group: z.optional(ChannelId),
  status: z.enum(['delivered', 'read']),
  messages: z.array(MessageId).check(z.minLength(1), z.maxLength(LIMITS.receiptMessages)),
});
export type ReceiptContent = z.infer<typeof ReceiptContent>;

/** A live signal. Ends by itself after a few seconds. */
export const TypingContent = z.strictObject({ kind: z.literal('typing'), typing: z.boolean() });
export type TypingContent = z.infer<typeof TypingContent>;

/**
 * A live signal. `seen`: the recipient may keep when the sender was there, and otherwise forgets what it has kept. To take that
 * back from everybody it is sent as a message, too.
 */
export const PresenceContent = z.strictObject({
  kind: z.literal('presence'),
  online: z.boolean(),
  seen: z.boolean(),
});
export type PresenceContent = z.infer<typeof PresenceContent>;

/** How the sender wants to be called, and what lets the recipient's messages into the sender's inbox. */
export const ProfileContent = z.strictObject({
  kind: z.literal('profile'),
  name,
  token: z.optional(DeliveryToken),
  picture: z.optional(z.strictObject(file)),
});
export type ProfileContent = z.infer<typeof ProfileContent>;

/**
 * Something from the recipient could not be read; the session that brings this is new. What never arrived is to be
 * sent again.
 */
export const RepairContent = z.strictObject({ kind: z.literal('repair') });
export type RepairContent = z.infer<typeof RepairContent>;

/** Opens what the log of a group commits to: the text of a field, and what was mixed into its commitment. */
const opening = z.strictObject({
  salt: base64url({ min: 16, max: 16 }),
  text: z.string().check(z.minLength(1), z.maxLength(LIMITS.descriptionCharacters)),
});

/**
 * The text of a group's settings, as JSON: how one gets in by its link. Whatever a later version adds is passed over. `approval`:
 * a person has to agree to each; `history`: what is sent along; `until`: lets nobody in from then on, in ms.
 */
export const GroupSettings = z.object({
  link: z.optional(
    z.object({
      secret: LinkSecret,
      approval: z.boolean(),
      history: z.enum(['none', 'day', 'last']),
      until: z.optional(sentAt),
    }),
  ),
});

export type GroupSettings = z.infer<typeof GroupSettings>;

/** What a link shows, as JSON. */
export const LinkPreview = z.object({
  title: z.string().check(z.maxLength(LIMITS.descriptionCharacters)),
  approval: z.boolean(),
  until: z.optional(sentAt),
});
export type LinkPreview = z.infer<typeof LinkPreview>;

/** How somebody is answered who asked to be let into a group. Who is let in hears it by the group itself. */
export const JoinAnswer = z.enum(['refused', 'full', 'reset', 'expired', 'stopped']);
export type JoinAnswer = z.infer<typeof JoinAnswer>;

/** A message from before somebody came, as a member has it: on that member's word alone. */
export const SharedMessage = z.strictObject({
  author: AccountId,
  id: message.id,
  sentAt,
  /** When the relay took it. */
  at: z.int().check(z.minimum(0), z.maximum(LIMITS.lastPlace)),
  reply: message.reply,
  mentions: message.mentions,
  forwarded: message.forwarded,
  text,
});
export type SharedMessage = z.infer<typeof SharedMessage>;

/**
 * What goes along with the keys of a group, which are handed over in a message of their own: what it is called, for who
 * does not have the key that its log says it under. And what else is said of it between two: the answer to a request, to who
 * asked and to the other admins; what was written before somebody came, to them.
 */
export const GroupContent = z.strictObject({
  kind: z.literal('group'),
  group: ChannelId,
  title: z.optional(opening),
  description: z.optional(opening),
  settings: z.optional(opening),
  request: z.optional(z.strictObject({ id: base64url({ min: 16, max: 16 }), answer: JoinAnswer })),
  history: z.optional(z.array(SharedMessage).check(z.minLength(1), z.maxLength(LIMITS.sharedMessages))),
});
export type GroupContent = z.infer<typeof GroupContent>;

/** A call between two devices: the session description carries the fingerprint of its keys. */
export const CallContent = z.strictObject({
  kind: z.literal('call'),
  call: base64url({ min: 16, max: 16 }),
  /** Of the recipient, once it is known which of them answers. */
  device: z.optional(DeviceId),
  sentAt,
  step: z.discriminatedUnion('step', [
    z.strictObject({ step: z.literal('offer'), video: z.boolean(), description: z.string() }),
    z.strictObject({ step: z.literal('answer'), description: z.string() }),
    z.strictObject({ step: z.literal('candidates'), candidates: z.array(z.string()).check(z.maxLength(32)) }),
    z.strictObject({ step: z.literal('end'), reason: z.enum(['hung-up', 'declined', 'busy', 'elsewhere']) }),
  ]),
});
export type CallContent = z.infer<typeof CallContent>;

/**
 * Beside every content between two devices, as `heads`: the last event that the sender knows of its own account's chain, and
 * of the recipient's.
 */
export const Heads = z.strictObject({ from: ChainHead, to: ChainHead });
export type Heads = z.infer<typeof Heads>;

const CONVERSATIONAL = [
  TextContent,
  AttachmentContent,
  ReactionContent,
  EditContent,
  DeleteContent,
  ReceiptContent,
] as const;

/** From a device to the others of its account: what it sent into a conversation, and what it read there. */
export const SyncContent = z.strictObject({
  kind: z.literal('sync'),
  conversation: z.union([ConversationId, ChannelId]),
  sent: z.discriminatedUnion('kind', CONVERSATIONAL),
  /** The place on screen that the sender gave it, from the relay's accept time. */
  at: z.optional(z.int().check(z.minimum(0), z.maximum(LIMITS.lastPlace))),
});
export type SyncContent = z.infer<typeof SyncContent>;

/** From a device to the others of its account: what the person took off their devices. */
export const RemoveContent = z.strictObject({
  kind: z.literal('remove'),
  conversation: z.union([ConversationId, ChannelId]),
  messages: z.array(MessageId).check(z.minLength(1), z.maxLength(LIMITS.receiptMessages)),
});
export type RemoveContent = z.infer<typeof RemoveContent>;

/** From a device to another of its account that is new there, or when there is a new contact. */
export const AccountContent = z.strictObject({
  kind: z.literal('account'),
  name,
  /** What lets into the account's inbox. */
  token: z.optional(DeliveryToken),
  contacts: z
    .array(
      z.strictObject({
        account: AccountId,
        handle: Handle,
        name: z.optional(name),
        token: z.optional(DeliveryToken),
      }),
    )
    .check(z.maxLength(LIMITS.contactsPerMessage)),
});
export type AccountContent = z.infer<typeof AccountContent>;

/** Who learns something of the person. `contacts`: those alone whom they have taken up with. */
export const Audience = z.enum(['everyone', 'contacts', 'nobody']);
export type Audience = z.infer<typeof Audience>;
const NearAudience = z.enum(['contacts', 'nobody']);

/**
 * From a device to the others of its account: what the person chose. Of several, the one with the latest `sentAt` counts, but
 * for `blocked`, which adds up.
 */
export const SettingsContent = z.strictObject({
  kind: z.literal('settings'),
  sentAt,
  name,
  /** Who learns that a message was read, that something is being written, that somebody is there or was. Once: whether. */
  receipts: z.union([Audience, z.boolean()]),
  typing: z.union([Audience, z.boolean()]),
  presence: z.union([NearAudience, z.boolean()]),
  lastSeen: z.optional(NearAudience),
  /** Whose messages are dropped, and whose no more: for each account the latest `at` counts, of one moment that it is blocked. */
  blocked: z
    .array(z.strictObject({ account: AccountId, blocked: z.boolean(), at: sentAt }))
    .check(z.maxLength(LIMITS.blockedAccounts)),
  /** What lets into the account's inbox. */
  token: DeliveryToken,
});
export type SettingsContent = z.infer<typeof SettingsContent>;

/** What stands inside a sealed message. The relay never sees any of it. */
export const Content = z.discriminatedUnion('kind', [
  ...CONVERSATIONAL,
  TypingContent,
  PresenceContent,
  ProfileContent,
  RepairContent,
  GroupContent,
  CallContent,
  SyncContent,
  RemoveContent,
  AccountContent,
  SettingsContent,
]);
export type Content = z.infer<typeof Content>;
