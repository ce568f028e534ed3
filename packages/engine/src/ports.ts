import type { IncomingEnvelope, OutgoingEnvelope } from '@sotto/contract/envelope';
import type { ErrorCode } from '@sotto/contract/errors';
import type { SendResult } from '@sotto/contract/events/relay';
import type { AccountId, DeviceId, Handle, InviteId, InviteSecret } from '@sotto/contract/ids';
import type { AccountResponse, RegisterRequest, RegisterResponse } from '@sotto/contract/rest/accounts';
import type { InviteCheckResponse, InviteResponse } from '@sotto/contract/rest/invites';
import type { BundlesResponse, PrekeysResponse, PublishRequest } from '@sotto/contract/rest/prekeys';
import type { Key, MessageRow, Row, TableName } from './rows.ts';

/** One change of one row. */
export type Write = {
  [T in TableName]: { table: T; put: Row<T> } | { table: T; remove: Key<T> };
}[TableName];

/**
 * Where everything that must survive lives. A `commit` is one transaction: all of it is there afterwards, durable,
 * or none of it. Whoever opened the store last is its only writer: a commit of an earlier opener throws a
 * StoreError `superseded`, so a tab that was replaced while frozen cannot write on.
 */
export interface Store {
  get<T extends TableName>(table: T, key: Key<T>): Promise<Row<T> | undefined>;
  /** All rows of a table in the order of their keys. */
  all<T extends TableName>(table: T): Promise<Row<T>[]>;
  /** Up to `limit` messages of a conversation, the last first; with `before`, those that stand before it. */
  messages(
    conversation: string,
    page: { before?: { order: number; id: string }; limit: number },
  ): Promise<MessageRow[]>;
  commit(writes: readonly Write[]): Promise<void>;
  close(): void;
}

export type StoreErrorCode = 'superseded' | 'full' | 'closed' | 'failed';

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
  /** Signed in and connected. Follows a `disconnected` as often as needed. */
  connected(): void;
  /** No connection, and what the relay said if it refused one. Another attempt follows, save for `device-removed`. */
  disconnected(refusal?: ErrorCode): void;
  accepted(results: readonly SendResult[]): void;
  deliver(envelopes: readonly IncomingEnvelope[]): void;
  caughtUp(): void;
  problem(code: ErrorCode): void;
  /** Others have used up most of this device's one-time prekeys. */
  prekeysLow(): void;
}

/** A connection that keeps itself up. What is handed in while it is down may be lost: the outbox is the only retrier. */
export interface Connection {
  /** False when it is down and nothing was sent. */
  send(envelopes: readonly OutgoingEnvelope[]): boolean;
  ack(ids: readonly string[]): boolean;
  /** While it is down: tries at once instead of when the next attempt is due. */
  retry(): void;
  close(): void;
}

/** The relay as a client sees it. Every method throws RelayError and nothing else. */
export interface Transport {
  checkInvite(invite: InviteSecret): Promise<InviteCheckResponse>;
  register(request: RegisterRequest): Promise<RegisterResponse>;
  createInvite(signer: Signer, invite: InviteId): Promise<InviteResponse>;
  account(signer: Signer, account: AccountId): Promise<AccountResponse>;
  handle(signer: Signer, handle: Handle): Promise<AccountResponse>;
  /** Adds prekeys, or with none asks how many are left. */
  publishPrekeys(signer: Signer, request: PublishRequest): Promise<PrekeysResponse>;
  bundles(signer: Signer, account: AccountId, devices: DeviceId[]): Promise<BundlesResponse>;
  removeDevice(signer: Signer, device: DeviceId): Promise<void>;
  connect(signer: Signer, listener: ConnectionListener): Connection;
}
