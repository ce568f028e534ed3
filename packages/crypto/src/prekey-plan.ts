import { ONE_TIME_COUNT, ONE_TIME_REFILL, PREKEY_KEPT, PREKEY_OVERDUE, PREKEY_ROTATION } from './limits.ts';
import type { OwnPrekey, Prekey, PrekeyKind } from './prekeys.ts';

/** A prekey by its name. */
export type PrekeyRef = Pick<Prekey, 'kind' | 'id'>;

/** What is known of a prekey of this device without its keys. */
export type PrekeyRecord = Pick<OwnPrekey, 'kind' | 'id' | 'createdAt' | 'expiresAt' | 'supersededAt'>;

export interface PrekeyPlan {
  /** Make and publish a signed prekey and a last resort. */
  rotate: boolean;
  /** Send nothing until the relay took new ones: those it has are too old. */
  overdue: boolean;
  /** How many one-time prekeys to make and publish. */
  oneTime: number;
  pqOneTime: number;
  /** What to delete. */
  retire: PrekeyRef[];
}

/** Those that are replaced by a successor, as opposed to used up. */
const isRotated = (kind: PrekeyKind) => kind === 'signed' || kind === 'pq-last-resort';

const isRetired = (key: PrekeyRecord, now: number): boolean =>
  isRotated(key.kind)
    ? key.supersededAt !== undefined && now >= key.supersededAt + PREKEY_KEPT
    : now >= key.expiresAt + PREKEY_KEPT;

const refill = (left: number) => (left < ONE_TIME_REFILL ? ONE_TIME_COUNT - left : 0);

/**
 * What a device should do about its prekeys. `own` are those that the relay took; `left` is how many one-time prekeys
 * it says that it still has. Where the clock was put back, a key from the future is as old as it is ahead.
 */
export const planPrekeys = (request: {
  own: readonly PrekeyRecord[];
  left: { oneTime: number; pqOneTime: number };
  now: number;
}): PrekeyPlan => {
  const { own, left, now } = request;
  const age = (kind: PrekeyKind) => {
    const current = own.filter((key) => key.kind === kind && key.supersededAt === undefined);
    return current.length === 0
      ? Infinity
      : Math.min(...current.map(({ createdAt }) => Math.abs(now - createdAt)));
  };
  const oldest = Math.max(age('signed'), age('pq-last-resort'));
  return {
    rotate: oldest >= PREKEY_ROTATION,
    overdue: oldest >= PREKEY_OVERDUE,
    oneTime: refill(left.oneTime),
    pqOneTime: refill(left.pqOneTime),
    retire: own.filter((key) => isRetired(key, now)).map(({ kind, id }) => ({ kind, id })),
  };
};

/** `own` once the relay took the prekey `accepted`: those of its kind before it are honoured for 30 days more. */
export const supersede = <Key extends PrekeyRecord>(
  own: readonly Key[],
  accepted: PrekeyRef,
  now: number,
): Key[] =>
  own.map((key) =>
    isRotated(key.kind) &&
    key.kind === accepted.kind &&
    key.id !== accepted.id &&
    key.supersededAt === undefined
      ? { ...key, supersededAt: now }
      : key,
  );

/** `own` without what a first message consumed: in the same commit as the state that came of it. */
export const consume = <Key extends PrekeyRef>(own: readonly Key[], consumed: readonly PrekeyRef[]): Key[] =>
  own.filter((key) => !consumed.some(({ kind, id }) => kind === key.kind && id === key.id));
