import type { GroupContent, GroupSettings, JoinAnswer, SharedMessage } from '@sotto/contract/content';
import type { GroupKey } from '@sotto/crypto/channel';
import type { Role } from '@sotto/crypto/membership-operation';
import type { GroupState } from '@sotto/crypto/membership-state';
import type { SenderKey } from '@sotto/crypto/sender-key';
import type { SenderKeys } from '@sotto/crypto/sender-key-receive';

/** Why a group has stopped: nothing is sent there, and nothing more is shown. */
export type GroupStop = 'group-fork' | 'roster-mismatch' | 'membership-invalid';

/** What lists show of a group. */
export interface GroupBrief {
  title: string;
  description?: string;
  members: number;
  /** One's own; absent for who is no member any more. */
  role?: Role;
  policy: number;
  /** How many ask to be let in: for admins. */
  asking?: number;
  stopped?: GroupStop;
  /** The others, in a group that is small enough for receipts. */
  others?: string[];
  /** Who made this account a member last. */
  by?: string;
  /** As its log has it; `pin` names the log. */
  link?: LinkSettings & { pin: string };
}

/** What was changed in a group, as a line of its conversation; by whom is the message's author. */
export type GroupNote =
  | { kind: 'created' | 'left' | 'rekeyed' }
  | { kind: 'added' | 'removed'; accounts: string[] }
  | { kind: 'role'; accounts: string[]; role: Role }
  | { kind: 'title' | 'description'; text: string }
  | { kind: 'picture' }
  /** `link`: what became of the link, where something did. */
  | { kind: 'settings'; link?: 'made' | 'reset' | 'changed' | 'ended' }
  /** `before`: as it was, in notes that say so. */
  | { kind: 'policy'; policy: number; before?: number };

/** The link into a group, as its log has it. */
export type LinkSettings = NonNullable<GroupSettings['link']>;

/** How much of what was written before goes along to who is added: nothing, the last day, the last 100 messages. */
export type HistoryChoice = LinkSettings['history'];

/** Somebody who asks to be let in. */
export interface RequestRow {
  /** By which it is answered. */
  id: string;
  account: string;
  device: string;
  /** By their clock, and by the relay's: ms. */
  createdAt: number;
  at: number;
  delivery: string;
  name: string;
  /** The id of the link's key: base64url. */
  link: string;
  signature: Uint8Array<ArrayBuffer>;
  /** It is theirs. */
  checked?: true;
}

/** What was asked of a group by its link. */
export interface JoinRow {
  group: string;
  secret: string;
  pin: string;
  /** Of the request, and of the envelope that it goes in. */
  id: string;
  envelope: string;
  title: string;
  /** In ms. */
  at: number;
  /** Nothing is to be seen of it until it is answered. */
  hidden?: true;
  /** `other-group`: what was shown is not the group that the link names. */
  answer?: JoinAnswer | 'other-group';
}

/** A text of a group's log that was opened: its salt is base64url. */
export interface FieldOpening {
  salt: string;
  text: string;
}

/** A group as its verified log names it, and its keys. Key: `group`. */
export interface GroupRow {
  group: string;
  log: GroupKey;
  /** The one in force, if it is here, and earlier ones: the newest first. */
  channels: GroupKey[];
  /** Until the log was read: keys for another log, which is what this group is called by who handed them over. */
  rivals?: { by: string; log: GroupKey; channels: GroupKey[] }[];
  /** Until the log was read: which state it had at an epoch, as who handed over its keys says. */
  stated?: { by: string; epoch: number; hash: Uint8Array<ArrayBuffer> }[];
  /** Absent until the log was read. */
  state?: GroupState;
  /** The device that made the channel key in force. */
  keyedBy?: { account: string; device: string };
  /** Until the relay is known to have it: what makes it, sent again byte for byte. Base64url. */
  making?: { id: string; entry: string };
  texts?: { title?: FieldOpening; description?: FieldOpening; settings?: FieldOpening };
  /** Who is no member any more, and since which epoch. */
  departed?: Record<string, number>;
  /** Who may take back what others wrote, and who alone may write, if not everybody, since which epoch: the newest last. */
  rights?: { epoch: number; censors: string[]; writers?: string[] }[];
  /** When the relay took the entry of an epoch, in ms, where that is known: the newest last. */
  reached?: { epoch: number; at: number }[];
  /** The epoch of the last word on the link; what it shows has to be told the relay. */
  linkEpoch?: number;
  linkDue?: true;
  /** Who asks to be let in: for admins. */
  requests?: RequestRow[];
  /** What is to be sent along to whom is added here; `due`: since when, in ms, they are in. */
  sharing?: { account: string; choice: HistoryChoice; due?: number }[];
  /** Who brought this account here, where that line stands, and how many messages they have sent along. */
  joined?: { by: string; order: number; taken?: number };
  /** What they sent along, until the log was read. */
  early?: { from: string; messages: SharedMessage[] }[];
  stopped?: GroupStop;
  /** It had stopped when this account left it: here alone, as nothing can be said in it. */
  left?: true;
  /** The id of the channel key that is to be replaced from here, by whoever is first: a revoked device of this account holds it, or somebody waits for the next. */
  overdue?: Uint8Array<ArrayBuffer>;
  /** How one is called was said here. */
  introduced?: true;
}

/** What this device sends with. Apart from the group, which is large and does not change with every message. */
export interface Sending {
  own: SenderKey;
  /** It as it was when somebody was to be handed it, for as long as it is on its way to them. */
  handing?: SenderKey[];
}

/** The sender keys of somebody's device for a group, or this device's own. Key: [`group`, `account`, `device`]. */
export interface SenderRow {
  group: string;
  account: string;
  device: string;
  keys?: SenderKeys;
  sending?: Sending;
}

/** What came of a group and waits for a key or for the log. Key: [`group`, `envelope`]. */
export interface HeldRow {
  group: string;
  envelope: string;
  at: number;
  /** When it was put here, in ms; absent in rows of before. */
  since?: number;
  body: Uint8Array<ArrayBuffer>;
  /** Whose sender key it waits for. */
  from?: { account: string; device: string };
  /** Instead of a body: what was said of the group before its keys came. */
  told?: { from: { account: string; device: string }; content: GroupContent }[];
  /** Of no group: how much of that there is by account and group, in bytes; the latest last. */
  kept?: { account: string; group: string; bytes: number }[];
}
