import type { Content } from '@sotto/contract/content';
import type { RelayError } from '@sotto/contract/errors';
import type { OwnPrekey, PrekeyKind } from '@sotto/crypto/prekeys';
import type { RepairLog } from '@sotto/crypto/repair';
import type { PeerState } from '@sotto/crypto/session-state';
import type { RegisterRequest } from '@sotto/contract/rest/accounts';

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

/** This device and the account that it belongs to. One row, key `self`. */
export interface SelfRow {
  key: 'self';
  account: string;
  device: string;
  handle: string;
  name: string;
  createdAt: number;
  /** The account chain, as encoded events. */
  chain: Uint8Array<ArrayBuffer>[];
  signing: StoredKeyPair;
  identity: StoredKeyPair;
  /** Newest last; an old one opens what was sealed before its successor was known. */
  sealing: OwnSealingKey[];
  /** What contacts get: it lets their messages into this account's inbox. */
  delivery: string;
  /** The highest id given to a prekey of each kind: none is ever used twice. */
  prekeyIds: Record<PrekeyKind, number>;
  /** Set until the relay has confirmed the account: sent again, byte for byte, after a crash. */
  registering?: RegisterRequest;
  /** Who is written to once the account stands: the maker of the invite link. */
  inviter?: { account: string; handle: string; token?: string };
}

/** Somebody else: their chain as verified here, and what is needed to write to them. Key: `account`. */
export interface ContactRow {
  account: string;
  handle: string;
  /** What they call themselves; unknown until they wrote. */
  name?: string;
  /** True when the account id came by a link from themselves rather than from the relay. */
  verified: boolean;
  /** The chain and when each event was first seen here, in ms. Empty until fetched: the handle is what a link said. */
  chain: { event: Uint8Array<ArrayBuffer>; seenAt: number }[];
  /** When the keys were last fetched, in ms. */
  fetchedAt?: number;
  /** Of the chain's last event; absent while there is none. */
  head?: string;
  /** Lets messages into their inbox; without it they are requests. */
  token?: string;
  devices: {
    device: string;
    signing: Uint8Array<ArrayBuffer>;
    identity: Uint8Array<ArrayBuffer>;
    /** Absent: nothing is sent to it. */
    sealing?: { id: number; publicKey: Uint8Array<ArrayBuffer> };
  }[];
  /** True when our profile has been put into the outbox for them. */
  introduced: boolean;
}

/** Key: `id`. Direct conversations alone so far: the id is the peer's account. */
export interface ConversationRow {
  id: string;
  createdAt: number;
  unread: number;
  /** A stranger began it and has no answer yet: until then they learn nothing of what became of their messages. */
  request?: true;
  /** For each sending device, the highest `order` used: none of its messages stands before an earlier one. */
  floors: Record<string, number>;
  /** The newest message as the list shows it. */
  last?: {
    id: string;
    order: number;
    /** Shown: the accept time, or one's own clock while unsent. */
    time: number;
    text: string;
    mine: boolean;
    status: MessageStatus;
  };
}

/** A lattice: waiting < sent < delivered < read; failed only from waiting. */
export type MessageStatus = 'waiting' | 'sent' | 'delivered' | 'read' | 'failed';

/** A refusal of the relay; keys or a handle that are not those of the account. */
export type SendProblem = RelayError['code'] | 'keys-invalid' | 'other-handle';

/** Key: [`conversation`, `id`]; also read by [`conversation`, `order`, `id`]. */
export interface MessageRow {
  conversation: string;
  id: string;
  /** Place on screen: the relay's accept time; beyond every time while unsent. */
  order: number;
  /** Author's account. */
  from: string;
  sentAt: number;
  /** When the relay accepted it; absent while unsent. */
  at?: number;
  /** Empty for a kind of message that this version does not know. */
  text: string;
  /** What such a message holds, as it came: for a version that does. */
  newer?: Uint8Array<ArrayBuffer>;
  /** Of one's own: how far it came. Of others: `delivered`, `read` once seen here. */
  status: MessageStatus;
  /** Why it failed. */
  problem?: SendProblem;
}

/** Something to send. Rows leave in the order of `seq` within a conversation. */
export interface OutboxRow {
  seq: number;
  conversation: string;
  content: Content;
  /** Encrypted for each device and stored before the first attempt; sent byte for byte until the outcome is known. */
  envelopes?: {
    id: string;
    device: string;
    head: string;
    token?: string;
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
}

/** An envelope that has been dealt with. Key: `envelope`. */
export interface SeenRow {
  envelope: string;
  at: number;
}

/** An envelope that could not be opened or understood, kept with its reason. Key: `envelope`. */
export interface AsideRow {
  envelope: string;
  at: number;
  reason: string;
  body: Uint8Array<ArrayBuffer>;
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
} as const satisfies Record<TableName, string | readonly string[]>;
