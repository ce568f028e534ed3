import type { Address } from './address.ts';
import { equal, type Bytes } from './bytes.ts';
import type { CryptoErrorCode } from './errors.ts';
import { REPAIR_INTERVAL, RESEND_LIFETIME, RESEND_REQUESTS, RESEND_WINDOW } from './limits.ts';

/** When a device of a peer was repaired with and asked: kept beside its `PeerState`. Starts as `NO_REPAIRS`. */
export interface RepairLog {
  /** Handshakes that this device made by itself because something could not be read. */
  readonly handshakes: readonly number[];
  /** Requests of the peer to send again that were followed. */
  readonly resends: readonly number[];
}

export const NO_REPAIRS: RepairLog = { handshakes: [], resends: [] };

const SILENT: readonly string[] = ['replayed', 'unsupported'];

/**
 * Whether a message that `decrypt` refused calls for a repair: a new handshake and a request to send again. The same
 * request whatever the code, so that a peer learns nothing from it, sent after a random delay. A rollback asks for one
 * too; a duplicate never does.
 */
export const asksRepair = (why: CryptoErrorCode | 'duplicate' | 'rollback'): boolean =>
  why !== 'duplicate' && !SILENT.includes(why);

/** Times within `span` before `now`. Those ahead of it, from before the clock was put back, count as well. */
const recent = (times: readonly number[], span: number, now: number) =>
  times.filter((time) => now < time + span);

/** The log after a repair that may be made now; `undefined` when it is too early for another. */
export const tryRepair = (log: RepairLog, now: number): RepairLog | undefined =>
  recent(log.handshakes, REPAIR_INTERVAL, now).length > 0 ? undefined : { ...log, handshakes: [now] };

/** The log after a request to send again that may be followed now; `undefined` when there were too many. */
export const tryResend = (log: RepairLog, now: number): RepairLog | undefined => {
  const resends = recent(log.resends, RESEND_WINDOW, now);
  return resends.length >= RESEND_REQUESTS ? undefined : { ...log, resends: [...resends, now] };
};

/**
 * Whether a message may be sent again to a device that asks for it: only to the very device that it was for, under the
 * identity key that it had then, when that device never acknowledged it, and within seven days.
 */
export const mayResend = (request: {
  sent: { to: Address; identity: Bytes; at: number; acknowledged: boolean };
  requester: Address & { identity: Bytes };
  now: number;
}): boolean => {
  const { sent, requester, now } = request;
  return (
    !sent.acknowledged &&
    now < sent.at + RESEND_LIFETIME &&
    sent.to.account === requester.account &&
    sent.to.device === requester.device &&
    equal(sent.identity, requester.identity)
  );
};
