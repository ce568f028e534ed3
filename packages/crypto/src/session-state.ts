import type { Address } from './address.ts';
import { concat, equal, u32, u8, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { encodeHandshake, type Handshake } from './handshake.ts';
import { sha256 } from './keys.ts';
import {
  MAX_GENERATION_JUMP,
  MAX_OLD_SESSIONS,
  MAX_REPLAYS,
  OLD_SESSION_LIFETIME,
  SESSION_REFRESH,
  UNANSWERED_LIFETIME,
} from './limits.ts';
import { PREKEY_KINDS } from './prekeys.ts';
import { pruneRatchet, type Ratchet } from './ratchet.ts';
import { SESSION_ID_BYTES, type Route } from './session-body.ts';
import { deriveGcm, type MessageKey, type Opaque } from './step.ts';

export interface Session {
  /** The first 16 bytes of `th`. */
  readonly id: Bytes;
  /** What the two agreed in: 32 bytes. */
  readonly th: Bytes;
  readonly generation: number;
  /** SHA-256 of the base key: the smaller of two of one generation sends. */
  readonly baseHash: Bytes;
  /** SHA-256 of the encoded handshake. */
  readonly opening: Bytes;
  readonly createdAt: number;
  /** Since when another session sends. */
  readonly archivedAt?: number;
  /** Of a session that this device started, until it is answered: goes ahead of every message. */
  readonly handshake?: Bytes;
  readonly ratchet: Ratchet;
  readonly signal: { readonly send: MessageKey; readonly receive: MessageKey };
}

/** A first message that was taken in: 16 bytes of the hash of its prekeys and base key. */
interface Replay {
  readonly signedId: number;
  readonly hash: Bytes;
}

/** All that is kept of one device of a peer. Plain data and CryptoKeys: it can be stored in IndexedDB as it is. */
export interface PeerState {
  readonly peer: Address;
  /** The highest that any session had. */
  readonly generation: number;
  /** The one that sends first, then those that only receive. */
  readonly sessions: readonly Session[];
  readonly replays: readonly Replay[];
}

const REPLAY_BYTES = 16;
const NONE = new Uint8Array(0);

export const emptyPeer = ({ account, device }: Address): PeerState => ({
  peer: { account, device },
  generation: 0,
  sessions: [],
  replays: [],
});

const compareBytes = (a: Bytes, b: Bytes): number => {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at === -1 ? 0 : a[at]! - b[at]!;
};

/** Both sides come to the same order: the higher generation, then the smaller hash of the base key. */
const order = (a: Session, b: Session): number =>
  b.generation - a.generation || compareBytes(a.baseHash, b.baseHash);

/** Whether an old session is past its time. */
export const isExpired = ({ archivedAt }: Session, now: number): boolean =>
  archivedAt !== undefined && now >= archivedAt + OLD_SESSION_LIFETIME;

/** `state` with one more session, which sends if it comes first in the order that both sides have. */
export const withSession = (state: PeerState, session: Session, now: number): PeerState => {
  const all = [session, ...state.sessions.filter((one) => !isExpired(one, now))];
  const [first] = all.toSorted(order);
  // The one that is new comes first among its equals: it is not given up at once, whatever its generation.
  const archived = all
    .filter((one) => one !== first)
    .map((one) => ({ ...one, archivedAt: one.archivedAt ?? now }))
    .toSorted((a, b) => b.archivedAt - a.archivedAt);
  return {
    ...state,
    generation: Math.max(state.generation, session.generation),
    sessions: [first!, ...archived.slice(0, MAX_OLD_SESSIONS)],
  };
};

/** What both sides make of a handshake. */
export const makeSession = async (request: {
  handshake: Handshake;
  th: Bytes;
  root: Opaque;
  initiator: boolean;
  ratchet: Ratchet;
  now: number;
}): Promise<Session> => {
  const { handshake, th, root, initiator, ratchet, now } = request;
  const encoded = encodeHandshake(handshake);
  const signal = (fromInitiator: boolean) =>
    deriveGcm(root, 'signal', u8(fromInitiator ? 1 : 2), [
      fromInitiator === initiator ? 'encrypt' : 'decrypt',
    ]);
  const [baseHash, opening, ours, theirs] = await Promise.all([
    sha256(handshake.baseKey),
    sha256(encoded),
    signal(initiator),
    signal(!initiator),
  ]);
  return {
    id: th.slice(0, SESSION_ID_BYTES),
    th,
    generation: handshake.generation,
    baseHash,
    opening,
    createdAt: now,
    ...(initiator && { handshake: encoded }),
    ratchet,
    signal: { send: ours, receive: theirs },
  };
};

/** Throws `no-session` for the state of another device. */
export const checkPeer = (state: PeerState, peer: Address): void => {
  if (state.peer.account !== peer.account || state.peer.device !== peer.device) {
    throw new CryptoError('no-session', 'of another device');
  }
};

/**
 * Why a handshake is due before the next message: there is no session, the one that sends was never answered and
 * `encrypt` refuses it, or it is a month old and should be renewed as soon as a bundle can be had.
 */
export const handshakeDue = (
  state: PeerState | undefined,
  now: number,
): 'none' | 'unanswered' | 'refresh' | undefined => {
  const session = state?.sessions[0];
  if (!session) return 'none';
  if (session.handshake && now >= session.createdAt + UNANSWERED_LIFETIME) return 'unanswered';
  return now >= session.createdAt + SESSION_REFRESH ? 'refresh' : undefined;
};

const replayOf = async (handshake: Handshake): Promise<Replay> => {
  const { signedId, oneTimeId, pqKind, pqId, baseKey } = handshake;
  const one = oneTimeId === undefined ? NONE : u32(oneTimeId);
  const pair = concat(u32(signedId), u8(one.length), one, u8(PREKEY_KINDS[pqKind]), u32(pqId), baseKey);
  return { signedId, hash: (await sha256(pair)).slice(0, REPLAY_BYTES) };
};

/** `state` with this handshake remembered. Throws `replayed` when its prekeys and base key served before. */
export const withReplay = async (state: PeerState, handshake: Handshake): Promise<PeerState> => {
  const { generation } = handshake;
  const replay = await replayOf(handshake);
  if (state.replays.some(({ hash }) => equal(hash, replay.hash))) throw new CryptoError('replayed');
  if (generation === 0 || generation > state.generation + MAX_GENERATION_JUMP) {
    throw new CryptoError('cannot-decrypt');
  }
  return { ...state, replays: [...state.replays, replay].slice(-MAX_REPLAYS) };
};

/** Where the session of a message is, -1 if nowhere. */
export const findSession = async (state: PeerState, route: Route, now: number): Promise<number> => {
  const opening = 'handshake' in route ? await sha256(encodeHandshake(route.handshake)) : undefined;
  return state.sessions.findIndex(
    (session) =>
      !isExpired(session, now) &&
      ('session' in route ? equal(session.id, route.session) : equal(session.opening, opening!)),
  );
};

/** What time takes away: old sessions, skipped keys, replays of signed prekeys that are not held any more. */
export const prunePeer = (request: {
  state: PeerState;
  /** The ids of the signed prekeys that this device still has. */
  signedIds: readonly number[];
  now: number;
}): PeerState => {
  const { state, signedIds, now } = request;
  const sessions = state.sessions
    .filter((session) => !isExpired(session, now))
    .map((session) => ({ ...session, ratchet: pruneRatchet(session.ratchet, now) }));
  return {
    ...state,
    sessions,
    replays: state.replays.filter(({ signedId }) => signedIds.includes(signedId)),
  };
};
