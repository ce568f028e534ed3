import { equal, type Bytes } from './bytes.ts';
import { eventHash, parseEvent, type ChainEvent } from './chain-event.ts';
import { applyEvent, asChainInvalid, foldVerified, isByRecovery, type ChainState } from './chain-rules.ts';
import { verifyChain } from './chain.ts';
import { CryptoError } from './errors.ts';

/** An event as this client came to know it. */
export interface ChainEntry {
  event: Bytes;
  /** 32 bytes. */
  hash: Bytes;
  /** When this client first saw it: milliseconds since 1970 by its own clock. */
  seenAt: number;
}

/** What a client remembers of an account, to hold every later answer against. Plain data, verified. */
export interface KnownChain {
  entries: readonly ChainEntry[];
  state: ChainState;
}

export interface Extension {
  chain: KnownChain;
  /** How many of the last events are new. */
  added: number;
  /** Events of devices that the recovery key has undone. */
  dropped: readonly ChainEntry[];
  /** The recovery key signed some new event: a verified contact has to be confirmed again, all devices are told. */
  byRecovery: boolean;
}

/** How long a recovery key that was replaced without its signature can undo that. */
export const UNDO_MS = 30 * 24 * 60 * 60 * 1000;

interface Link {
  event: Bytes;
  parsed: ChainEvent;
  hash: Bytes;
}

const read = async (event: Bytes): Promise<Link> => {
  const parsed = parseEvent(event);
  return { event: new Uint8Array(event), parsed, hash: await eventHash(parsed.content) };
};

/** A first look at an account. `now` is in milliseconds since 1970. Throws `chain-invalid`. */
export const viewChain = async (events: readonly Bytes[], now: number): Promise<KnownChain> =>
  viewed(events, await verifyChain(events), now);

/** The same of events whose signatures were verified before they were stored. Throws `chain-invalid`. */
export const viewVerified = async (events: readonly Bytes[], now: number): Promise<KnownChain> =>
  viewed(events, await foldVerified(events), now);

const viewed = async (events: readonly Bytes[], state: ChainState, now: number): Promise<KnownChain> => {
  const links = await Promise.all(events.map(read));
  return { entries: links.map(({ event, hash }) => ({ event, hash, seenAt: now })), state };
};

/** Whether a recovery key stands in a chain. No signature is looked at. Throws `bad-encoding`. */
export const isRecoverable = (events: readonly Bytes[]): boolean =>
  events.some((event) => parseEvent(event).body.kind === 'recovery');

/** After which of the known events others stand: their number. Throws `chain-gap`. */
const attach = ({ entries }: KnownChain, previous: Bytes): number => {
  if (previous.length === 0) return 0;
  const at = entries.findIndex(({ hash }) => equal(hash, previous));
  if (at === -1) throw new CryptoError('chain-gap');
  return at + 1;
};

/**
 * Whether an event by `author`, the recovery key in force before `tail`, outranks the events of `tail`. It does not
 * outrank what it signed itself, nor its own replacement by a device once that has stood for 30 days.
 */
const outranksTail = (tail: readonly ChainEntry[], author: string, now: number): boolean => {
  for (const { event, seenAt } of tail) {
    const { body } = parseEvent(event);
    if (body.kind === 'create' || body.author === author) return false;
    if (body.kind === 'recovery') return now - seenAt <= UNDO_MS;
  }
  return true;
};

/** Whether a chain that follows `state` with `next` outranks one that follows it with `tail`. */
const outranks = (state: ChainState, next: ChainEvent, tail: readonly ChainEntry[], now: number): boolean =>
  next.body.kind !== 'create' && isByRecovery(state, next.body) && outranksTail(tail, next.body.author, now);

const fold = async (start: ChainState, links: readonly Link[]) => {
  let state = start;
  let byRecovery = false;
  for (const { event, parsed } of links) {
    byRecovery ||= isByRecovery(state, parsed.body);
    state = await applyEvent(state, event);
  }
  return { state, byRecovery };
};

/**
 * Takes in what a relay says of an account: the whole chain, or its events after one that is known. Signatures of
 * events that are known already are not looked at, and the known bytes stay.
 *
 * Throws `chain-invalid` for events that no valid chain has here, and for another account's; `chain-gap` when they
 * follow an event that is not known: ask for the whole chain; `chain-rollback` when they end before the known head;
 * `chain-fork` when they part from the known chain and do not outrank it.
 */
export const extendChain = async (
  known: KnownChain,
  events: readonly Bytes[],
  now: number,
): Promise<Extension> => {
  const { entries } = known;
  const links = await asChainInvalid(() => Promise.all(events.map(read)));
  const [first] = links;
  if (first === undefined) return { chain: known, added: 0, dropped: [], byRecovery: false };
  const start = attach(known, first.parsed.previous);
  let common = 0;
  while (
    common < links.length &&
    start + common < entries.length &&
    equal(links[common]!.hash, entries[start + common]!.hash)
  )
    common += 1;
  const kept = entries.slice(0, start + common);
  const dropped = entries.slice(start + common);
  const fresh = links.slice(common);
  const [next] = fresh;
  if (next === undefined) {
    if (dropped.length > 0) throw new CryptoError('chain-rollback');
    return { chain: known, added: 0, dropped: [], byRecovery: false };
  }
  // Of another account nothing is kept, and no chain is empty.
  const base = dropped.length === 0 ? known.state : await foldVerified(kept.map(({ event }) => event));
  const { state, byRecovery } = await fold(base, fresh);
  if (dropped.length > 0 && !outranks(base, next.parsed, dropped, now)) throw new CryptoError('chain-fork');
  const added = fresh.map(({ event, hash }) => ({ event, hash, seenAt: now }));
  return { chain: { entries: [...kept, ...added], state }, added: added.length, dropped, byRecovery };
};

/** Where a head that somebody names stands in the known chain. `unknown` means: fetch, and if it stays so, a fork. */
export const placeOfHead = (known: KnownChain, head: Bytes): 'head' | 'earlier' | 'unknown' => {
  if (equal(known.state.head, head)) return 'head';
  return known.entries.some(({ hash }) => equal(hash, head)) ? 'earlier' : 'unknown';
};

/**
 * Two views of accounts: what `a` is beside `b`. `outranks` and `outranked` are forks that the recovery key decides,
 * `fork` one that nobody does, `other` another account.
 */
export const compareChains = async (
  a: KnownChain,
  b: KnownChain,
  now: number,
): Promise<'same' | 'ahead' | 'behind' | 'outranks' | 'outranked' | 'fork' | 'other'> => {
  const shorter = Math.min(a.entries.length, b.entries.length);
  let at = 0;
  while (at < shorter && equal(a.entries[at]!.hash, b.entries[at]!.hash)) at += 1;
  if (at === 0) return 'other';
  if (at === shorter) {
    if (a.entries.length === b.entries.length) return 'same';
    return a.entries.length > b.entries.length ? 'ahead' : 'behind';
  }
  const base = await verifyChain(a.entries.slice(0, at).map(({ event }) => event));
  const [mine, theirs] = [a.entries.slice(at), b.entries.slice(at)];
  if (outranks(base, parseEvent(mine[0]!.event), theirs, now)) return 'outranks';
  if (outranks(base, parseEvent(theirs[0]!.event), mine, now)) return 'outranked';
  return 'fork';
};

/**
 * The last state of a chain in which a recovery key is in force: where it can sign an event, also one that undoes its
 * own replacement. Undefined when it never is. Throws `chain-invalid`.
 */
export const recoveryPoint = async (
  events: readonly Bytes[],
  recovery: string,
): Promise<ChainState | undefined> => {
  let state: ChainState | undefined;
  let found: ChainState | undefined;
  for (const event of events) {
    state = await applyEvent(state, event);
    if (state.recovery?.id === recovery) found = state;
  }
  return found;
};
