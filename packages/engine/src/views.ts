import type { ErrorCode } from '@sotto/contract/errors';
import type { AccountId, ConversationId, DeviceId, Handle, InviteSecret } from '@sotto/contract/ids';
import type { Link } from '@sotto/contract/link';
import type { AppendRequest, EmailCodeResponse, Verification } from '@sotto/contract/rest/accounts';
import type { RelayResponse } from '@sotto/contract/rest/relay';
import type { DeviceTrouble, GroupNote, MessageStatus, Reach, SendProblem, Settings } from './rows.ts';
import type { GroupDeeds, GroupSummary, JoinSnapshot } from './groups/views.ts';
import type { Person, View } from './view.ts';

export type { Person, View } from './view.ts';
export type {
  GroupLinkOptions,
  GroupPolicy,
  GroupSnapshot,
  GroupSummary,
  GroupView,
  JoinSnapshot,
  LinkSnapshot,
} from './groups/views.ts';

/** A device of one's own account. */
export interface OwnDevice {
  device: DeviceId;
  /** It is this one. */
  current: boolean;
  /** When this device first saw it on the account, in ms since 1970; 0 for the first of all. */
  since: number;
  /** Why the newest of what was sent here did not go to it. */
  trouble?: DeviceTrouble;
}

/** What a device shows that is to be added to an account: its public keys. */
export interface DeviceOffer {
  signing: string;
  identity: string;
}

/** What a device of the account answers: half the event that adds the other, and the chain that it belongs to. */
export interface DeviceProposal {
  account: string;
  handle: string;
  name: string;
  chain: string[];
  proposal: string;
}

/** What the new device gives back: the whole event, and its first keys. */
export interface DeviceAcceptance {
  event: AppendRequest['event'];
  device: NonNullable<AppendRequest['device']>;
}

export interface ConversationSummary {
  id: ConversationId;
  /** Oneself, in the note to self; in a group, its name alone. */
  peer: Person;
  group?: GroupSummary;
  /** Messages of others that have not been seen on this account, and those of them that name it. */
  unread: number;
  mentioned: number;
  /** No text: deleted, a note, or of a kind that this version does not know. */
  last?: {
    text: string;
    time: number;
    mine: boolean;
    status: MessageStatus;
    deleted?: true;
    note?: GroupNote;
    /** In a group: its author, and whoever the note names. */
    from?: AccountId;
    people?: Readonly<Record<string, Person>>;
  };
  draft?: { text: string; reply?: string };
  /** A stranger began it: they hear nothing until it is accepted. */
  request?: true;
  /** Who put this account into the group, while that is a request. */
  addedBy?: Person;
  blocked?: true;
  /** Seconds after which what is written now goes. */
  timer?: number;
  /** Says nothing until then, in ms since 1970. */
  muted?: number;
  /** When it was pinned, in ms since 1970. */
  pinned?: number;
  archived?: true;
  /** Since when something came of a group that cannot be read without what has not come yet, in ms since 1970. */
  waiting?: number;
  /** Nothing is sent there until the person agrees (`acceptIdentity`). */
  stopped?: 'identity-changed';
  /** Who writes something there this moment. */
  typing: readonly AccountId[];
  online: boolean;
  /** When they were there last, in ms since 1970 by this device's clock, where they let that be known. */
  lastSeen?: number;
}

export interface EngineSnapshot {
  /**
   * `new`: no account on this device yet. `joining`: keys are made, the relay has not confirmed. `ready`: open.
   * `removed`: the relay says that this device was removed. `stopped`: closed, or replaced by another tab.
   */
  phase: 'new' | 'joining' | 'ready' | 'removed' | 'stopped';
  me?: Person;
  /** Who gets to know what of this account. */
  settings?: Settings;
  /** What makes others verified contacts of this account. Holds its delivery token: for the link alone. */
  contact?: NonNullable<Link['contact']>;
  /** Of one's own account, as its chain names them; the first is the oldest. */
  devices: readonly OwnDevice[];
  /**
   * Nothing is sent until the person decides. `profile-copied`: this profile was copied or put back to an earlier state, and
   * the other has gone on (`startAnew`, or remove this device). `identity-changed`: somebody with the recovery code, or the
   * relay, has changed this account (`acceptIdentity`); only one's own devices are sent nothing.
   */
  alarm?: 'profile-copied' | 'identity-changed';
  connection: 'connecting' | 'online' | 'offline';
  /** True until what waited at the relay has been handed over, each time after connecting. */
  catchingUp: boolean;
  /** How much waits to be sent, or for the relay's word: messages, receipts and the like. */
  unsent: number;
  /** Newest first. */
  conversations: readonly ConversationSummary[];
  /** Groups that this device asked to be let into. */
  joins: readonly JoinSnapshot[];
  /** Why the relay lets this device not in, while it does not: more than a network that is away. */
  refusal?: ErrorCode;
  /** Something that the person should know and that keeps the engine from storing: `full`, `failed`. */
  storeProblem?: string;
}

/** What a message answers. No text: it is deleted, or not on this device. */
export interface QuotedMessage {
  id: string;
  from: AccountId;
  mine: boolean;
  text?: string;
}

/** Somebody who is named in a text: from where, in UTF-16 code units, and how long. */
export interface Mention {
  account: AccountId;
  start: number;
  length: number;
}

export interface ChatMessage {
  id: string;
  from: AccountId;
  mine: boolean;
  /** Empty when it is deleted. */
  text: string;
  /** It is no message: its author changed this in the group. */
  note?: GroupNote;
  /** Its author did not know that somebody had left the group, who may have read it. */
  outdated?: true;
  /** It is from before one was in the group: who sent it along. That it was written so, and by its author, they say alone. */
  sharedBy?: AccountId;
  /**
   * Of one's own: how far it came with each of those that it was for, and when they said so, by the relay's clock. Absent
   * where nobody is told, as in large groups.
   */
  reached?: readonly { account: AccountId; reach?: Reach; delivered?: number; read?: number }[];
  /** It was taken back for everybody: by its author, or by that admin. */
  deleted?: true;
  deletedBy?: AccountId;
  /** It has been changed: what it said before, the first first; times in ms since 1970 by the author's clock. */
  edits?: readonly { text: string; time: number }[];
  reply?: QuotedMessage;
  mentions?: readonly Mention[];
  forwarded?: true;
  /** In the order in which they were given. */
  reactions?: readonly { emoji: string; accounts: readonly AccountId[]; mine: boolean }[];
  starred?: true;
  /** Not seen here. */
  unread?: true;
  /** Seconds after which it goes, and, once that runs, when: ms since 1970. */
  timer?: number;
  expiresAt?: number;
  /** It is of a kind that this version does not know: there is no text. */
  newer?: true;
  /** Milliseconds since 1970: the relay's accept time, or one's own clock while unsent. */
  time: number;
  /** Of one's own: how far it came with who has come least far. */
  status: MessageStatus;
  /** Why it, or the last change of it, was not sent; it is tried again by `retry` alone. */
  problem?: SendProblem;
  /** Whether that may help as things are: the reason is one that passes. Present with `problem`. */
  retry?: boolean;
}

/** Where the next page of hits, or of starred messages, begins. */
export interface SearchPlace {
  conversation: string;
  order: number;
  id: string;
}

export interface SearchHit {
  conversation: ConversationId;
  message: string;
  from: AccountId;
  /** Milliseconds since 1970, as ChatMessage has it. */
  time: number;
  /** The part of the text around the first match; where the words are in it, in UTF-16 code units. */
  snippet: { text: string; ranges: [start: number, length: number][] };
}

export interface SearchResult {
  /** The newest first. */
  hits: readonly SearchHit[];
  /** There are older ones: what to ask for as `before`. */
  more?: SearchPlace;
  /** Some messages are still to be taken into the index: they are not found yet. */
  indexing: boolean;
}

export interface StarredPage {
  /** The newest first. */
  messages: readonly { conversation: ConversationId; message: ChatMessage }[];
  /** There are older ones: what to ask for as `before`. */
  more?: SearchPlace;
}

/** The end of a conversation, its first unread message, or around the message of an id. */
export type OpenAt = 'last' | 'unread' | (string & {});

export interface ConversationSnapshot {
  peer: Person;
  group?: GroupSummary;
  /** In a group: everybody whom the messages, or what goes on there, name. */
  people?: Readonly<Record<string, Person>>;
  /** Oldest first: a stretch of the conversation without gaps, of some hundred messages at most. */
  messages: readonly ChatMessage[];
  /** There are messages before, or after, those. */
  hasOlder: boolean;
  hasNewer: boolean;
  unread: number;
  mentioned: number;
  /** The id of the first message that has not been seen, wherever it stands. */
  firstUnread?: string;
  /** Seconds after which what is written now goes. */
  timer?: number;
  draft?: { text: string; reply?: string };
  request?: true;
  blocked?: true;
  typing: readonly AccountId[];
  online: boolean;
}

/** Its promises reject with a StoreError. */
export interface ConversationView extends View<ConversationSnapshot> {
  /** One page more on that side; where that is too much, as much goes on the other. */
  loadOlder(): Promise<void>;
  loadNewer(): Promise<void>;
  /** Goes to another place; to the end when there is nothing at that one. */
  show(at: OpenAt): Promise<void>;
  close(): void;
}

/** The headless client. Every rejected promise carries a RelayError, a StoreError, a CryptoError or an EngineError. */
export interface Engine extends View<EngineSnapshot>, GroupDeeds {
  /** Who is there, and what it demands of who registers. */
  relay(): Promise<RelayResponse>;
  checkInvite(invite: InviteSecret): Promise<'open' | 'used' | 'expired' | 'unknown'>;
  /** Has a code mailed, where the relay demands one: `request` is shown again with it. `expiresIn` is milliseconds. */
  mailCode(address: string): Promise<EmailCodeResponse>;
  /**
   * Makes keys and an account, with the invite of `link` and the proofs that the relay demands. Survives a crash at any point:
   * the next start goes on where it stopped, unless the relay has refused by name.
   */
  register(request: {
    link: Link;
    handle: Handle;
    name: string;
    verification?: Verification | undefined;
  }): Promise<void>;
  /** Deletes the account at the relay, with all its devices. What is stored here stays. */
  deleteAccount(): Promise<void>;
  /** A link that lets one person make an account and be a verified contact of this one. */
  createInvite(): Promise<{ link: Link; expiresAt: number }>;
  /** Finds a person by handle, or takes one from a link, and opens the conversation. */
  addContact(who: { handle: Handle } | NonNullable<Link['contact']>): Promise<ConversationId>;
  /** The conversation with somebody who is known already, as a member of a group is. @throws EngineError yourself, no-member */
  openDirect(account: AccountId): Promise<ConversationId>;
  /**
   * What two people compare to know that each has the other's account: 60 digits, and what a QR code says for the other to
   * scan.
   *
   * @throws EngineError yourself, is-group, no-conversation
   */
  safety(id: ConversationId): Promise<{ number: string; code: string }>;
  /**
   * Holds what was scanned against what the other's screen has to show. `same`: they are verified from now on.
   *
   * @throws EngineError yourself, is-group, no-conversation
   */
  compareCode(id: ConversationId, scanned: string): Promise<'same' | 'other' | 'newer' | 'no-code'>;
  /** The person has compared the number, or takes it back. On this device alone. @throws EngineError is-group, no-conversation */
  setVerified(id: ConversationId, verified: boolean): Promise<void>;
  /** The conversation with oneself. */
  noteToSelf(): Promise<ConversationId>;
  /** Undefined when there is no such conversation. Resolves with the messages at `at` loaded: the last, if not said. */
  openConversation(id: ConversationId, options?: { at?: OpenAt }): Promise<ConversationView | undefined>;
  /**
   * The messages on this device that have every word of `query`, whatever its case and accents; the last word may be the
   * beginning of one. Up to `limit` (50) of them, in one conversation or all.
   *
   * @throws StoreError
   */
  search(
    query: string,
    options?: { conversation?: ConversationId; limit?: number; before?: SearchPlace },
  ): Promise<SearchResult>;
  /** The messages that are starred, in all conversations: up to `limit` (50) of them. @throws StoreError */
  starred(options?: { limit?: number; before?: SearchPlace }): Promise<StarredPage>;
  /**
   * Resolves when the message is stored and will leave by itself. With an `id` (16 random bytes, base64url) that is there
   * already, or was and is deleted, nothing happens. `reply` is the id of a message in the same conversation.
   *
   * @throws EngineError empty, too-long, no-conversation, no-message (of `reply`), blocked
   */
  send(
    id: ConversationId,
    text: string,
    options?: { id?: string; reply?: string; mentions?: readonly Mention[]; forwarded?: boolean },
  ): Promise<void>;
  /**
   * Another text for a message of one's own, on every device that has it.
   *
   * @throws EngineError empty, too-long, no-message, not-yours, blocked
   */
  edit(
    id: ConversationId,
    message: string,
    text: string,
    options?: { mentions?: readonly Mention[] },
  ): Promise<void>;
  /**
   * Takes messages of one's own back, on every device that has them. What has not left goes without a trace.
   *
   * @throws EngineError no-message, not-yours
   */
  deleteForEveryone(id: ConversationId, messages: readonly string[]): Promise<void>;
  /** Takes messages off this account's devices. Those that were not sent are not sent any more. */
  deleteForMe(id: ConversationId, messages: readonly string[]): Promise<void>;
  /**
   * One's one reaction to a message, up to LIMITS.emojiCharacters; null takes it back.
   *
   * @throws EngineError no-message, not-sent, bad-emoji, blocked
   */
  react(id: ConversationId, message: string, emoji: string | null): Promise<void>;
  /** Puts a message that failed, or the change of one, at the end of what waits to be sent: of use where it says `retry`. */
  retry(id: ConversationId, message: string): Promise<void>;
  /** Everything in the conversation has been seen, or everything up to the message of an id, or the messages of these ids. */
  markRead(id: ConversationId, which?: string | readonly string[]): Promise<void>;
  /** Keeps what is being written; an empty text without `reply` (a message's id) keeps nothing. */
  setDraft(id: ConversationId, text: string, reply?: string): Promise<void>;
  /**
   * Messages written from now on go so many seconds after they were read; undefined, never. Others hear of it by the next
   * message. Where two choose, the newest message tells.
   *
   * @throws EngineError bad-timer
   */
  setTimer(id: ConversationId, seconds: number | undefined): Promise<void>;
  /** What is not named stays. `muted` is until when, in ms since 1970: 0 ends it. */
  setFlags(
    id: ConversationId,
    flags: { muted?: number; pinned?: boolean; archived?: boolean },
  ): Promise<void>;
  star(id: ConversationId, message: string, starred: boolean): Promise<void>;
  /** Takes a stranger's request: from now on they hear what becomes of their messages. */
  accept(id: ConversationId): Promise<void>;
  /**
   * Deletes a stranger's request. They hear nothing, and may ask again.
   *
   * @throws EngineError no-request
   */
  decline(id: ConversationId): Promise<void>;
  /**
   * What somebody sends is dropped from now on, also groups that they put this account into; they hear nothing. Everybody else
   * is given a new way in. An account may be known from a group alone.
   *
   * @throws EngineError yourself, is-group, no-conversation, too-many-blocked
   */
  block(id: ConversationId | AccountId): Promise<void>;
  unblock(id: ConversationId): Promise<void>;
  /** How one is called: told to everybody one has written with. @throws EngineError bad-name */
  setProfile(profile: { name: string }): Promise<void>;
  /** What is not named stays. */
  setSettings(settings: Partial<Settings>): Promise<void>;
  /** The person writes something, or has stopped: as often as one likes; it ends by itself after seconds. */
  typing(id: ConversationId, typing: boolean): Promise<void>;
  /** The person is there, until this is taken back or the engine is closed. */
  present(present: boolean): Promise<void>;
  /** On a device without an account: its keys, to be added to one. The same until it is. */
  offerDevice(): Promise<DeviceOffer>;
  /** On that device: signs, and waits (`joining`) until the other has confirmed. */
  acceptProposal(proposal: DeviceProposal): Promise<DeviceAcceptance>;
  /** On a device of the account: what the one that made the offer has to sign. */
  addDevice(offer: DeviceOffer): Promise<DeviceProposal>;
  /** On a device of the account: adds the other to the chain and hands it what it needs. `stale-head`: from `addDevice` again. */
  confirmDevice(acceptance: DeviceAcceptance): Promise<void>;
  /**
   * Revokes a device of one's own account, also this one: nobody writes to it or reads what it sends any more. Without the
   * only one nobody gets into the account again.
   */
  removeDevice(device: DeviceId): Promise<void>;
  /** The person has seen that the identity of a contact, or of this account, changed: what waits is sent. */
  acceptIdentity(id: ConversationId | AccountId): Promise<void>;
  /** Goes on with a profile that was copied: with new keys, in new sessions. */
  startAnew(): Promise<void>;
  /**
   * Takes back a message that is not under way yet.
   *
   * @throws EngineError `too-late`
   */
  cancel(id: ConversationId, message: string): Promise<void>;
  /** Tries at once whatever waits for its next attempt: the network is back. */
  nudge(): void;
  close(): Promise<void>;
}
