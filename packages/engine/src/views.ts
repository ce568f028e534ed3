import type { ErrorCode } from '@sotto/contract/errors';
import type { AccountId, ConversationId, Handle, InviteSecret } from '@sotto/contract/ids';
import type { Link } from '@sotto/contract/link';
import type { MessageStatus, SendProblem } from './rows.ts';

/** Something that changes: `getSnapshot` returns the same object until it did, then tells every subscriber. */
export interface View<S> {
  getSnapshot(): S;
  subscribe(listener: () => void): () => void;
}

export interface Person {
  account: AccountId;
  handle: Handle;
  /** What they call themselves; the handle until that is known. */
  name: string;
  /** True when the account came by a link from themselves rather than from the relay's word. */
  verified: boolean;
}

export interface ConversationSummary {
  id: ConversationId;
  peer: Person;
  unread: number;
  /** No text: of a kind that this version does not know. */
  last?: { text: string; time: number; mine: boolean; status: MessageStatus };
}

export interface EngineSnapshot {
  /**
   * `new`: no account on this device yet. `joining`: keys are made, the relay has not confirmed. `ready`: open.
   * `removed`: the relay says that this device was removed. `stopped`: closed, or replaced by another tab.
   */
  phase: 'new' | 'joining' | 'ready' | 'removed' | 'stopped';
  me?: Person;
  /** What makes others verified contacts of this account. Holds its delivery token: for the link alone. */
  contact?: NonNullable<Link['contact']>;
  connection: 'connecting' | 'online' | 'offline';
  /** True until what waited at the relay has been handed over, each time after connecting. */
  catchingUp: boolean;
  /** Newest first. */
  conversations: readonly ConversationSummary[];
  /** Why the relay lets this device not in, while it does not: more than a network that is away. */
  refusal?: ErrorCode;
  /** Something that the person should know and that keeps the engine from storing: `full`, `failed`. */
  storeProblem?: string;
}

export interface ChatMessage {
  id: string;
  mine: boolean;
  text: string;
  /** It is of a kind that this version does not know: there is no text. */
  newer?: true;
  /** Milliseconds since 1970: the relay's accept time, or one's own clock while unsent. */
  time: number;
  status: MessageStatus;
  /** Why it failed. */
  problem?: SendProblem;
}

export interface ConversationSnapshot {
  peer: Person;
  /** Oldest first: the newest part of the conversation, as far back as has been loaded. */
  messages: readonly ChatMessage[];
  hasOlder: boolean;
}

export interface ConversationView extends View<ConversationSnapshot> {
  loadOlder(): Promise<void>;
  close(): void;
}

/** The headless client. Every rejected promise carries a RelayError, a StoreError, a CryptoError or an EngineError. */
export interface Engine extends View<EngineSnapshot> {
  checkInvite(invite: InviteSecret): Promise<'open' | 'used' | 'expired' | 'unknown'>;
  /** Makes keys and an account. Survives a crash at any point: the next start goes on where it stopped. */
  register(request: { link: Link; handle: Handle; name: string }): Promise<void>;
  /** A link that lets one person make an account and be a verified contact of this one. */
  createInvite(): Promise<{ link: Link; expiresAt: number }>;
  /** Finds a person by handle, or takes one from a link, and opens the conversation. */
  addContact(who: { handle: Handle } | NonNullable<Link['contact']>): Promise<ConversationId>;
  /** Undefined when there is no such conversation. Resolves with the last messages loaded. */
  openConversation(id: ConversationId): Promise<ConversationView | undefined>;
  /** Resolves when the message is stored and will leave by itself. */
  send(id: ConversationId, text: string): Promise<void>;
  /** Puts a message that failed at the end of what waits to be sent. */
  retry(id: ConversationId, message: string): Promise<void>;
  /** Everything in the conversation has been seen. */
  markRead(id: ConversationId): Promise<void>;
  /** Tries at once whatever waits for its next attempt: the network is back. */
  nudge(): void;
  close(): Promise<void>;
}
