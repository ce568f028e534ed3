import type {
  IncomingEnvelope,
  IncomingLive,
  LiveEnvelope,
  LivePost,
  OutgoingEnvelope,
  OutgoingPost,
} from '@sotto/contract/envelope';
import type { ErrorCode } from '@sotto/contract/errors';
import type { SendResult } from '@sotto/contract/events/relay';
import type { AccountId, ChannelId, DeviceId, Handle, InviteId, InviteSecret } from '@sotto/contract/ids';
import type {
  AccountResponse,
  AppendRequest,
  AppendResponse,
  DeliveryRequest,
  EmailCodeResponse,
  RegisterRequest,
  RegisterResponse,
} from '@sotto/contract/rest/accounts';
import type {
  ChangeChannelRequest,
  ChannelResponse,
  ChannelsResponse,
  CreateChannelRequest,
  EpochResponse,
  JoinRequest,
  LinkRequest,
  LinkResponse,
  PutLinkRequest,
} from '@sotto/contract/rest/channels';
import type { InviteCheckResponse, InviteResponse } from '@sotto/contract/rest/invites';
import type { BundlesResponse, PrekeysResponse, PublishRequest } from '@sotto/contract/rest/prekeys';
import type { RelayResponse } from '@sotto/contract/rest/relay';
import { type Dated, type Key, MESSAGE_INDEXES, type MessageRow, type Row, type TableName } from './rows.ts';

/** One change of one row. `isNew`: the writer has seen that there is none under that key, so that the store need not look. */
export type Write = {
  [T in TableName]: { table: T; put: Row<T>; isNew?: true } | { table: T; remove: Key<T> };
}[TableName];

/** Which messages are read. */
export type MessageQuery =
  | { conversation: string }
  | { conversation: string; unread: true }
  | { conversation: string; from: string }
  | { starred: true }
  | { unindexed: true }
  | { expiresBefore: number };

/** Where a message stands: by `order`, then by `id` within a conversation; a row is its own place. */
export type Place = Pick<MessageRow, 'conversation' | 'order' | 'id'>;

/** Before every message. */
export const START: Place = { conversation: '', order: -1, id: '' };

/**
 * Up to `limit` rows: the last first, with `before` those that stand before that place; with `after` the first of those
 * that stand after it, the first first.
 */
export type MessagePage = { limit: number } & (
  | { before?: Place; after?: undefined }
  | { after: Place; before?: undefined }
);

type Part = string | number;

/** A query as a range of an index: what its keys begin with, and the part that they stand before or after. */
export interface MessagePlan {
  index: keyof typeof MESSAGE_INDEXES;
  prefix: readonly Part[];
  before?: readonly Part[];
  after?: readonly Part[];
  /** Read from the end. */
  backwards: boolean;
  limit: number;
}

const prefixOf = (query: MessageQuery): Pick<MessagePlan, 'index' | 'prefix'> => {
  if ('starred' in query) return { index: 'starred', prefix: [1] };
  if ('unindexed' in query) return { index: 'unindexed', prefix: [1] };
  if ('expiresBefore' in query) return { index: 'expiry', prefix: [] };
  const { conversation } = query;
  if ('unread' in query) return { index: 'unread', prefix: [conversation, 1] };
  if ('from' in query) return { index: 'sender', prefix: [conversation, query.from] };
  return { index: 'order', prefix: [conversation] };
};

/** What a store reads for a page of a query: the same for every store. */
export const planMessages = (query: MessageQuery, { before, after, limit }: MessagePage): MessagePlan => {
  const { index, prefix } = prefixOf(query);
  if ('expiresBefore' in query) {
    return { index, prefix, before: [query.expiresBefore], backwards: false, limit };
  }
  const rest = MESSAGE_INDEXES[index].slice(prefix.length) as (keyof Place)[];
  const part = (place: Place) => rest.map((field) => place[field]);
  return {
    index,
    prefix,
    ...(before && { before: part(before) }),
    ...(after && { after: part(after) }),
    backwards: after === undefined,
    limit,
  };
};

/** What a store holds, for whoever does not write: commits of the writer show at the next read. */
export interface Reader {
  get<T extends TableName>(table: T, key: Key<T>): Promise<Row<T> | undefined>;
  /** What `get` gives for each of the keys, in one go. */
  getMany<T extends TableName>(table: T, keys: readonly Key<T>[]): Promise<(Row<T> | undefined)[]>;
  /** All rows of a table in the order of their keys. */
  all<T extends TableName>(table: T): Promise<Row<T>[]>;
  count(table: TableName): Promise<number>;
  /** Of each key whether there is a row. */
  has<T extends TableName>(table: T, keys: readonly Key<T>[]): Promise<boolean[]>;
  /** Of `expiresBefore`: what expires first comes first, and places in `page` do not count. */
  messages(query: MessageQuery, page: MessagePage): Promise<MessageRow[]>;
  /** The keys of up to `limit` rows whose `at` is lower than `before`, in ms; the oldest first. */
  older<T extends Dated>(table: T, before: number, limit: number): Promise<Key<T>[]>;
  close(): void;
}

/**
 * Where everything that must survive lives. A `commit` is one transaction: all of it is there afterwards, durable,
 * or none of it. Whoever opened the store last is its only writer: a commit of an earlier opener throws a
 * StoreError `superseded`, so a tab that was replaced while frozen cannot write on.
 *
 * That is the compare-and-swap of everything in it: one writer, whose changes run one at a time (Model), cannot find a
 * row other than it read it. So a commit says nothing of what the rows were before, but where a row is new.
 */
export interface Store extends Reader {
  /** How often it had been opened for writing, this time included. */
  readonly generation: number;
  commit(writes: readonly Write[]): Promise<void>;
}

export type StoreErrorCode =
  /** Another opened it for writing. */
  | 'superseded'
  /** No room on the device. */
  | 'full'
  /** Closed here, or taken away by the browser. */
  | 'closed'
  /** It does not open: another tab holds it with an older version of the app and does not let go, or another process has it. */
  | 'blocked'
  /** It was written by a newer version of the app. */
  | 'newer'
  /** A row that does not open under the key of this store, or a store that has lost its key. */
  | 'sealed'
  | 'failed';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, options?: ErrorOptions) {
    super(`store: ${code}`, options);
    this.code = code;
  }
}

/** What signs a device in: its id and a signature over the statement that the relay asks for. */
export interface Signer {
  device: DeviceId;
  /** 64 bytes over `challenge`, bound to `origin`, base64url. */
  sign(statement: { challenge: string; origin: string }): Promise<string>;
}

export interface ConnectionListener {
  /** What the relay's clock says, in ms since 1970, before `connected` and with every new token: no more than minutes off. */
  time?(now: number): void;
  /** Signed in and connected. Follows a `disconnected` as often as needed. */
  connected(): void;
  /** No connection, and what the relay said if it refused one. Another attempt follows, save for `device-removed`. */
  disconnected(refusal?: ErrorCode): void;
  accepted(results: readonly SendResult[]): void;
  deliver(envelopes: readonly IncomingEnvelope[]): void;
  caughtUp(): void;
  /** Of use this moment only; may be repeated, may be anything. */
  live(signals: readonly IncomingLive[]): void;
  problem(code: ErrorCode): void;
  /** Others have used up most of this device's one-time prekeys. */
  prekeysLow(): void;
}

/** A connection that keeps itself up. What is handed in while it is down may be lost: the outbox is the only retrier. */
export interface Connection {
  /** False when it is down and nothing was sent. */
  send(envelopes: readonly OutgoingEnvelope[]): boolean;
  /** Up to LIMITS.postsPerSend; answered like envelopes. */
  post(posts: readonly OutgoingPost[]): boolean;
  ack(ids: readonly string[]): boolean;
  /** For who is connected this moment: up to LIMITS.livePerSend, never answered. */
  live(signals: readonly LiveEnvelope[]): boolean;
  /** The same for everybody in a channel. */
  livePost(post: LivePost): boolean;
  /** While it is down: tries at once instead of when the next attempt is due. */
  retry(): void;
  close(): void;
}

/** The relay as a client sees it. Every method throws RelayError and nothing else. */
export interface Transport {
  /** Who is there, and what it demands of who registers. */
  relay(): Promise<RelayResponse>;
  /** Mails a code, where that is demanded. */
  mailCode(address: string): Promise<EmailCodeResponse>;
  checkInvite(invite: InviteSecret): Promise<InviteCheckResponse>;
  register(request: RegisterRequest): Promise<RegisterResponse>;
  createInvite(signer: Signer, invite: InviteId): Promise<InviteResponse>;
  account(signer: Signer, account: AccountId): Promise<AccountResponse>;
  handle(signer: Signer, handle: Handle): Promise<AccountResponse>;
  /** Adds prekeys, or with none asks how many are left. */
  publishPrekeys(signer: Signer, request: PublishRequest): Promise<PrekeysResponse>;
  bundles(signer: Signer, account: AccountId, devices: DeviceId[]): Promise<BundlesResponse>;
  /** Adds an event to one's own chain. */
  append(signer: Signer, request: AppendRequest): Promise<AppendResponse>;
  removeDevice(signer: Signer, device: DeviceId): Promise<void>;
  deleteAccount(signer: Signer): Promise<void>;
  /** From now on a token of this hash lets into the inbox, and no other. */
  setDelivery(signer: Signer, request: DeliveryRequest): Promise<void>;
  createChannel(signer: Signer, request: CreateChannelRequest): Promise<EpochResponse>;
  changeChannel(signer: Signer, channel: ChannelId, request: ChangeChannelRequest): Promise<EpochResponse>;
  /** As it is now, with its log from an epoch on. */
  channel(signer: Signer, channel: ChannelId, from: number): Promise<ChannelResponse>;
  /** Those of one's own account. */
  channels(signer: Signer): Promise<ChannelsResponse>;
  joinChannel(signer: Signer, channel: ChannelId): Promise<void>;
  putLink(signer: Signer, channel: ChannelId, request: PutLinkRequest): Promise<void>;
  lookAtLink(signer: Signer, channel: ChannelId, request: LinkRequest): Promise<LinkResponse>;
  askToJoin(signer: Signer, channel: ChannelId, request: JoinRequest): Promise<void>;
  connect(signer: Signer, listener: ConnectionListener): Connection;
}
