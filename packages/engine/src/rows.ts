import type { Audience, Content, SettingsContent, TextContent } from '@sotto/contract/content';
import type { RelayError } from '@sotto/contract/errors';
import type { OwnPrekey, PrekeyKind } from '@sotto/crypto/prekeys';
import type { RepairLog } from '@sotto/crypto/repair';
import type { PeerState } from '@sotto/crypto/session-state';
import type { RegisterRequest } from '@sotto/contract/rest/accounts';
import type { GroupBrief, GroupNote, GroupRow, HeldRow, JoinRow, SenderRow } from './groups/rows.ts';
import type { SegmentRow, ListingRow, CatalogueRow, DroppedRow } from './search/rows.ts';

export type { SegmentRow, Listed, ListingRow, CatalogueRow, SegmentRef, DroppedRow } from './search/rows.ts';
export type {
  GroupBrief,
  GroupNote,
  GroupRow,
  GroupStop,
  FieldOpening,
  HeldRow,
  HistoryChoice,
  JoinRow,
  LinkSettings,
  RequestRow,
  Sending,
} from './groups/rows.ts';

/** A private key that the platform will not hand out, with its public half. */
interface StoredKeyPair {
  publicKey: Uint8Array<ArrayBuffer>;
  privateKey: CryptoKey;
}

export interface OwnSealingKey extends StoredKeyPair {
  id: number;
  createdAt: number;
  signature: Uint8Array<ArrayBuffer>;
  /** When the relay took it, in ms; absent until then. */
  publishedAt?: number;
}

/** Who gets to know what. Who only asks to talk to this account, and who is blocked, never does. */
export interface Settings {
  /** That a message was read. */
  receipts: Audience;
  /** In a group all hear of it or nobody. */
  typing: Audience;
  /** That the person is there. */
  presence: Exclude<Audience, 'everyone'>;
  /** When they were there. */
  lastSeen: Exclude<Audience, 'everyone'>;
}

/** The same as it is stored and told to other devices: earlier versions said whether. */
export type StoredSettings = Pick<SettingsContent, 'receipts' | 'typing' | 'presence' | 'lastSeen'>;

/** By account: the last word on it and when it was said, in ms. */
export type Blocks = Record<string, { blocked: boolean; at: number }>;

/** A device that can be written to, as the verified chain of its account names it. */
export interface DeviceKeys {
  device: string;
  signing: Uint8Array<ArrayBuffer>;
  identity: Uint8Array<ArrayBuffer>;
  /** Absent: nothing is sent to it. */
  sealing?: { id: number; publicKey: Uint8Array<ArrayBuffer>; createdAt: number };
  /** When the chain was first seen to name it, in ms; 0 for the first device of the account. */
  since: number;
  /** Why the newest message did not go to it; tried again with the next. */
  trouble?: DeviceTrouble;
}

/** `no-prekeys`: the relay has none of it. `keys-invalid`: they do not hold. `overdue`: it was not there for long. */
export type DeviceTrouble = 'no-prekeys' | 'keys-invalid' | 'overdue';

/** The chain of an account as verified here, and what follows from it. */
export interface AccountKeys {
  /** The chain and when each event was first seen here, in ms. Empty until fetched: the handle is what a link said. */
  chain: { event: Uint8Array<ArrayBuffer>; seenAt: number }[];
  /** When the keys were last fetched, in ms; 0 when the relay has said since that they are others. */
  fetchedAt?: number;
  /** Of the chain's last event; absent while there is none. */
  head?: string;
  devices: DeviceKeys[];
  /** Devices that the chain has revoked: nothing of theirs is read any more. */
  revoked?: string[];
  /**
   * Nothing is sent until the person agrees. `recovered`: the recovery key signed something new. `forked`: the relay shows
   * another chain than the one known here, which stays, or has shown them another: of this account, or of theirs.
   */
  changed?: 'recovered' | 'forked';
  /** Nothing is sent until it was looked up. */
  doubts?: Doubts;
}

/** Heads that a message named and that are not known here: of its sender's chain, of this account's. */
export interface Doubts {
  from?: string;
  to?: string;
}

/** This device and the account that it belongs to. One row, key `self`. */
export interface SelfRow extends AccountKeys {
  key: 'self';
  account: string;
  device: string;
  handle: string;
  name: string;
  createdAt: number;
  signing: StoredKeyPair;
  identity: StoredKeyPair;
  /** Newest last; an old one opens what was sealed before its successor was known. */
  sealing: OwnSealingKey[];
  /** What contacts get: it lets their messages into this account's inbox. */
  delivery: string;
  /** The relay has to be told of `delivery`, and then those who may have it. */
  deliveryDue?: true;
  /** What the person chose, on whichever device, last at `sentAt`; absent while nothing was. */
  settings?: StoredSettings & { sentAt: number };
  /** Accounts whose messages are dropped: those of `blocks`. */
  blocked?: string[];
  /** Who was blocked or unblocked, on whichever device. */
  blocks?: Blocks;
  /** The highest id given to a prekey of each kind: none is ever used twice. */
  prekeyIds: Record<PrekeyKind, number>;
  /** Set until the relay has confirmed the account: sent again, byte for byte, after a crash. */
  registering?: RegisterRequest;
  /** Set until another device of the account has added this one and handed it what it needs. */
  joining?: true;
  /** Devices that this one is adding: once the chain has them they are handed what they need. */
  adding?: string[];
  /** The relay has this device's keys from a later time than this profile knows: it was copied or put back. */
  copied?: { sealing: number };
  /** Up to this number the relay may have sealing keys of the other copy: the person has decided to go on. */
  overtaken?: number;
  /** Groups that this device has asked to be let into. */
  joins?: JoinRow[];
  /** Who is written to once the account stands: the maker of the invite link. */
  inviter?: { account: string; handle: string; token?: string };
}

/** Somebody else: their chain as verified here, and what is needed to write to them. Key: `account`. */
export interface ContactRow extends AccountKeys {
  account: string;
  handle: string;
  /** What they call themselves; unknown until they wrote. */
  name?: string;
  /** True when the account id came by a link from themselves rather than from the relay. */
  verified: boolean;
  /** Lets messages into their inbox; without it they are requests. */
  token?: string;
  /** A link called them otherwise: they are sent nothing until they were added under their handle. */
  misnamed?: true;
  /** True when our profile has been put into the outbox for them. */
  introduced: boolean;
  /** When they were there last, in ms by this device's clock; absent where they let nobody keep it. */
  lastSeen?: number;
}

/** Key: `id`: the peer's account; of a group, its id. */
export interface ConversationRow {
  id: string;
  createdAt: number;
  group?: GroupBrief;
  /** Messages of others that have not been seen here. */
  unread: number;
  /** Those of them that name this account. */
  mentioned?: number;
  /** A stranger began it and has no answer yet: until then they learn nothing of what became of their messages. */
  request?: true;
  /** For each sending device, the highest `order` used: none of its messages stands before an earlier one. */
  floors: Record<string, number>;
  /** For each sending device, the highest `sentAt` that a message of it had: one with a lower one was overtaken. */
  sent?: Record<string, number>;
  /** Written and not sent; the id of what it answers. */
  draft?: { text: string; reply?: string };
  /** Seconds after which a new message goes: those of the newest message, or what was chosen here since. */
  timer?: number;
  /** The timer was chosen here, and no message has carried it yet. */
  timerChosen?: true;
  /** Messages that something is pending for, as `author id`, the oldest first. */
  pending?: string[];
  /** Says nothing until then, in ms. */
  muted?: number;
  /** When it was pinned, in ms. */
  pinned?: number;
  archived?: true;
  /** Since when something that came of a group waits for a key or for its log, in ms. */
  waiting?: number;
  /** The newest message as the list shows it. */
  last?: {
    id: string;
    order: number;
    /** Shown: the accept time, or one's own clock while unsent. */
    time: number;
    text: string;
    mine: boolean;
    status: MessageStatus;
    deleted?: true;
    expiresAt?: number;
    /** In a group: its author's account, and what was changed where it is no message. */
    from?: string;
    note?: GroupNote;
  };
}

/** A lattice: waiting < sent < delivered < read; failed only from waiting. */
export type MessageStatus = 'waiting' | 'sent' | 'delivered' | 'read' | 'failed';

/** A refusal of the relay; keys or a handle that are not those of the account; a group that one is not in, or that stopped. */
export type SendProblem =
  | RelayError['code']
  | 'keys-invalid'
  | 'other-handle'
  | 'group-stopped'
  | 'not-a-member';

/** Key: [`conversation`, `id`]; also read by MESSAGE_INDEXES. What stands in CLEAR is not sealed at rest. */
export interface MessageRow {
  conversation: string;
  id: string;
  /** Place on screen: the relay's accept time; beyond every time while unsent. */
  order: number;
  /** Author's account. */
  from: string;
  /** The author's device that sent it. */
  device: string;
  sentAt: number;
  /** When the relay accepted it; absent while unsent. */
  at?: number;
  /** Of one's own: how far it came. Of others: `delivered`, `read` once seen here. */
  status: MessageStatus;
  /** Why it failed. */
  problem?: SendProblem;
  /** Of somebody else, and not seen here yet. */
  unread?: 1;
  starred?: 1;
  /** When it goes, in ms. */
  expiresAt?: number;
  /** The search index does not have it as it is. */
  unindexed?: 1;
  /** Its number in the search index, if it is there: as it is, or as it was before. */
  doc?: number;
  /** Empty for a kind of message that this version does not know. */
  text: string;
  /** What such a message holds, as it came: for a version that does. */
  newer?: Uint8Array<ArrayBuffer>;
  /** It is no message, but says what was changed in the group. */
  note?: GroupNote;
  /** In a group: those that it is for, if they are few enough for receipts. */
  to?: string[];
  /** Its author did not know that somebody had left the group, who may have read it. */
  outdated?: true;
  /** It is from before this account came: who sent it along, on whose word alone it stands. */
  shared?: string;
  /** What it answers. */
  reply?: { author: string; id: string };
  mentions?: NonNullable<TextContent['mentions']>;
  forwarded?: true;
  /** Seconds after which it goes, from when it was read. */
  timer?: number;
  /** Earlier texts, the first first. */
  edits?: Version[];
  /** When the text that it has was written, if that is not the first; by the author's clock. */
  edited?: number;
  /** Its text is gone: who deleted it for everybody, and when by their clock. */
  deleted?: Marks['deleted'];
  reactions?: Marks['reactions'];
  reached?: Marks['reached'];
  reachedAt?: Marks['reachedAt'];
}

/** One text that a message has or had. */
export interface Version {
  text: string;
  mentions?: NonNullable<TextContent['mentions']>;
  sentAt: number;
}

/** How far somebody's device has a message. */
export type Reach = 'delivered' | 'read';

/** What was said of a message after it was written. */
export interface Marks {
  /** The texts that came after the first, the oldest first. */
  edits?: Version[];
  deleted?: { by: string; sentAt: number };
  /** The last word of each account; null took it back and is kept: an older one does not come up again. */
  reactions?: Record<string, { emoji: string | null; sentAt: number }>;
  /** By account and device. */
  reached?: Record<string, Record<string, Reach>>;
  /** When the first device of an account said so; the relay's accept time in ms. */
  reachedAt?: Record<string, Partial<Record<Reach, number>>>;
}

/** What was said of a message that is not here yet. Key: [`conversation`, `author`, `id`]. */
export interface PendingRow {
  conversation: string;
  author: string;
  id: string;
  /** When the first of it came, in ms. */
  at: number;
  marks: Marks;
}

/** A message that was deleted here or ran out: a late copy does not bring it back. Key: [`conversation`, `id`]. */
export interface GoneRow {
  conversation: string;
  id: string;
  at: number;
}

/** Something to send. Rows leave in the order of `seq` within a conversation; one's own goes to one's other devices. */
export interface OutboxRow {
  seq: number;
  conversation: string;
  content: Content;
  /**
   * A key of a group that travels in the place of `content`: its own sender key as of a counter, or the group's keys; `channel`: the
   * id of the channel key, base64url, of which another may be in force by then.
   */
  hand?: { group: string; channel?: string; sender?: { chainId: string; n: number } };
  /** What is posted to a group: sealed and stored like `envelopes`. */
  post?: { id: string; epoch: number; body: Uint8Array<ArrayBuffer> };
  /** The only device that it is for. */
  to?: string;
  /** Devices that have it. */
  done?: string[];
  /** Since when, in ms, others have it and the rest is still to get it. */
  owed?: number;
  /** Encrypted for each device and stored before the first attempt; sent byte for byte until the outcome is known. */
  envelopes?: {
    id: string;
    device: string;
    head: string;
    token?: string;
    channel?: string;
    body: Uint8Array<ArrayBuffer>;
  }[];
  /** Not before this time, in ms: what answers a failure does not tell when it was met. */
  notBefore?: number;
  /** How often it was encrypted anew because the devices of the recipient had changed. */
  renewals?: number;
}

/** A prekey of this device. Key: [`kind`, `id`]. */
export type PrekeyRow = OwnPrekey & {
  /** The relay has it. One that it does not have yet is published again. */
  published: boolean;
};

/** The sessions with one device of somebody. Key: [`account`, `device`]. */
export interface PeerRow {
  account: string;
  device: string;
  state: PeerState;
  repairs: RepairLog;
  /** The next message starts a new session: something could not be read in those that there are. */
  renew: boolean;
  /** How many messages of it others have overtaken; and for how many of them it was asked. */
  missing?: number;
  asked?: number;
  /** Groups that it handed its sender key for before anything here said that it is in them; the latest last. */
  early?: string[];
}

/** An envelope that has been dealt with. Key: `envelope`. */
export interface SeenRow {
  envelope: string;
  /** When that was, in ms. */
  at: number;
}

/** Why an envelope could not be opened or understood. Key: `envelope`. */
export interface AsideRow {
  envelope: string;
  /** When it was dealt with, in ms. */
  at: number;
  reason: string;
}

/** An envelope whose sender's keys cannot be had now, taken from the relay. Key: `envelope`. */
export interface UnclaimedRow {
  envelope: string;
  /** When it was put here, in ms. */
  at: number;
  /** When the relay accepted it, in ms. */
  accepted: number;
  request?: true;
  body: Uint8Array<ArrayBuffer>;
}

/** A key that seals rows at rest. Key: `id`, counted from 1; rows are sealed under the newest. */
export interface VaultRow {
  id: number;
  key: CryptoKey;
}

interface Tables {
  self: { row: SelfRow; key: 'self' };
  contact: { row: ContactRow; key: string };
  conversation: { row: ConversationRow; key: string };
  message: { row: MessageRow; key: [conversation: string, id: string] };
  outbox: { row: OutboxRow; key: number };
  prekey: { row: PrekeyRow; key: [kind: string, id: number] };
  peer: { row: PeerRow; key: [account: string, device: string] };
  seen: { row: SeenRow; key: string };
  aside: { row: AsideRow; key: string };
  unclaimed: { row: UnclaimedRow; key: string };
  pending: { row: PendingRow; key: [conversation: string, author: string, id: string] };
  gone: { row: GoneRow; key: [conversation: string, id: string] };
  group: { row: GroupRow; key: string };
  sender: { row: SenderRow; key: [group: string, account: string, device: string] };
  held: { row: HeldRow; key: [group: string, envelope: string] };
  segment: { row: SegmentRow; key: number };
  listing: { row: ListingRow; key: number };
  catalogue: { row: CatalogueRow; key: 'catalogue' };
  dropped: { row: DroppedRow; key: number };
  vault: { row: VaultRow; key: number };
}

export type TableName = keyof Tables;
export type Row<T extends TableName> = Tables[T]['row'];
export type Key<T extends TableName> = Tables[T]['key'];

/** The property, or properties, of a row that are its key. */
export const KEY_PATHS = {
  self: 'key',
  contact: 'account',
  conversation: 'id',
  message: ['conversation', 'id'],
  outbox: 'seq',
  prekey: ['kind', 'id'],
  peer: ['account', 'device'],
  seen: 'envelope',
  aside: 'envelope',
  unclaimed: 'envelope',
  pending: ['conversation', 'author', 'id'],
  gone: ['conversation', 'id'],
  group: 'group',
  sender: ['group', 'account', 'device'],
  held: ['group', 'envelope'],
  segment: 'id',
  listing: 'id',
  catalogue: 'key',
  dropped: 'doc',
  vault: 'id',
} as const satisfies Record<TableName, string | readonly string[]>;

/** What of a row stays readable at rest: its key and what stores order it by. The rest is sealed. */
export const CLEAR = {
  contact: ['account'],
  conversation: ['id', 'createdAt', 'unread'],
  message: [
    'conversation',
    'id',
    'order',
    'from',
    'device',
    'sentAt',
    'at',
    'status',
    'problem',
    'unread',
    'starred',
    'expiresAt',
    'unindexed',
  ],
  outbox: ['seq'],
  aside: ['envelope', 'at'],
  unclaimed: ['envelope', 'at'],
  pending: ['conversation', 'author', 'id', 'at'],
  group: ['group', 'log', 'channels', 'rivals'],
  held: ['group', 'envelope', 'at'],
  segment: ['id'],
  listing: ['id'],
  catalogue: ['key'],
} as const satisfies { [T in TableName]?: readonly (keyof Row<T>)[] };

/** Tables whose rows are let go of with time: also read by `at`. */
export const DATED = [
  'seen',
  'aside',
  'unclaimed',
  'pending',
  'gone',
  'held',
] as const satisfies readonly TableName[];
export type Dated = (typeof DATED)[number];

/** What messages are read by. A row that lacks one of the fields is not in the index. */
export const MESSAGE_INDEXES = {
  order: ['conversation', 'order', 'id'],
  unread: ['conversation', 'unread', 'order', 'id'],
  sender: ['conversation', 'from', 'order', 'id'],
  starred: ['starred', 'order', 'conversation', 'id'],
  unindexed: ['unindexed', 'order', 'conversation', 'id'],
  expiry: ['expiresAt', 'conversation', 'id'],
} as const satisfies Record<string, readonly (keyof MessageRow)[]>;
