import type { Live } from '../live.ts';
import type { Notice } from '../model.ts';
import type { WireError } from './wire-error.ts';

/** A BroadcastChannel, as far as it is needed: everybody hears what the others say, and nobody themselves. */
export interface Channel {
  postMessage(message: Message): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  close(): void;
}

/** `term` is the generation of the writer's store, `count` how many commits it has told of. */
export type Said =
  | { kind: 'state'; term: number; count: number; live: Live }
  | { kind: 'commit'; term: number; count: number; notices: readonly Notice[] };

/** What is said among the workers of one store. */
export type Message =
  | Said
  /** Asks the writer for its state. */
  | { kind: 'hello' }
  /** Asks whoever holds the lock, or is opening the store, for a sign of life. */
  | { kind: 'ping' }
  | { kind: 'pong' }
  | { kind: 'call'; id: string; term: number; method: string; args: unknown[] }
  | { kind: 'answer'; id: string; term: number; value?: unknown; error?: WireError };

/** One writer at a time: a lock among everybody who has the store. */
export interface Lock {
  /** Waits for it; `steal` takes it from its holder. Rejects when `signal` aborts the waiting. */
  acquire(options: { steal?: boolean; signal?: AbortSignal }): Promise<Held>;
  /** Undefined when somebody holds it. */
  tryAcquire(): Promise<Held | undefined>;
}

export interface Held {
  /** Resolves when it was stolen. */
  lost: Promise<void>;
  release(): void;
}
