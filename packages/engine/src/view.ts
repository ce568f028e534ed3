import type { AccountId, Handle } from '@sotto/contract/ids';

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
  /** The account is theirs not by the relay's word alone: it came by a link from them, or their number was compared. */
  verified: boolean;
  /** Nothing is sent to them until the person agrees (`acceptIdentity`): why, as `AccountKeys` has it. */
  changed?: 'recovered' | 'forked';
}
