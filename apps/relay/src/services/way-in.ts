import { hash } from 'node:crypto';
import type { OutgoingEnvelope } from '@sotto/contract/envelope';
import type { ErrorCode } from '@sotto/contract/errors';
import type { DeviceId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type pg from 'pg';
import { countRequests, selectMemberships, selectRecipients, type Recipient } from '../store/envelopes.ts';
import type { Inboxes } from './inboxes.ts';
import type { LimitKind } from './limits.ts';
import type { Identity } from './tokens.ts';

/** Throws when there is too much of something. */
export interface Taker {
  take(kind: LimitKind, key: string, points?: number): void;
}

export type Refused = { code: ErrorCode; retryAfter?: number };

/** Until an inbox that is full may have been looked at again, in seconds. */
const FULL_RETRY = 60;

interface Asked {
  limits: Taker;
  inboxes: Pick<Inboxes, 'isFull' | 'look'>;
  envelopes: readonly OutgoingEnvelope[];
  /** Of each envelope. */
  senders: readonly Identity[];
  /** What goes to the client instead of an error. */
  problem: (error: unknown) => Refused;
}

/** What the relay knows of a delivery token. */
export const tokenHash = (token: string): string =>
  hash('sha256', Buffer.from(token, 'base64url'), 'base64url' as 'base64');

/** For each envelope: refused, or whether it is a request. */
export const checkWaysIn = async (
  pool: pg.Pool,
  { limits, inboxes, envelopes, senders, problem }: Asked,
): Promise<(Refused | boolean)[]> => {
  // The senders too: one may have been removed since it was let in.
  const devices = new Set([...envelopes, ...senders].map(({ device }) => device));
  const recipients = await selectRecipients(pool, [...devices]);
  const inChannel = await membershipsOf(pool, { envelopes, senders }, recipients);
  const strangers = new Set<DeviceId>();
  const verdicts = envelopes.map(({ device, head, token, channel }, n): Refused | boolean => {
    const recipient = recipients.get(device);
    const { account, device: sender } = senders[n]!;
    if (!recipients.has(sender)) return { code: 'device-removed' };
    if (!recipient) return { code: 'device-unknown' };
    if (recipient.head !== head) return { code: 'stale-devices' };
    const invited =
      recipient.account === account ||
      (channel !== undefined &&
        inChannel.has(channel + account) &&
        inChannel.get(channel + recipient.account) === true) ||
      (token !== undefined && recipient.delivery === tokenHash(token));
    // Of an inbox a stranger hears no more than that it takes no requests.
    if (inboxes.isFull(device))
      return { code: invited ? 'inbox-full' : 'requests-full', retryAfter: FULL_RETRY };
    return !invited;
  });
  inboxes.look(envelopes.map(({ device }) => device));
  // Before anything is counted: what is refused anyway costs little.
  const limited = verdicts.map((verdict, n) => {
    if (verdict !== true) return verdict;
    try {
      limits.take('strangers', senders[n]!.account);
    } catch (error) {
      return problem(error);
    }
    strangers.add(envelopes[n]!.device);
    return true;
  });
  if (strangers.size === 0) return limited;
  const waiting = await countRequests(pool, [...strangers], LIMITS.requestsPerDevice);
  return limited.map((verdict, n) => {
    if (verdict !== true) return verdict;
    const { device } = envelopes[n]!;
    const count = waiting.get(device) ?? 0;
    if (count >= LIMITS.requestsPerDevice) return { code: 'requests-full' };
    waiting.set(device, count + 1);
    return true;
  });
};

const membershipsOf = async (
  pool: pg.Pool,
  { envelopes, senders }: Pick<Asked, 'envelopes' | 'senders'>,
  recipients: ReadonlyMap<DeviceId, Recipient>,
): Promise<Map<string, boolean>> => {
  const pairs = new Map<string, Parameters<typeof selectMemberships>[1][number]>();
  for (const [n, { channel, device }] of envelopes.entries()) {
    const recipient = recipients.get(device);
    if (channel === undefined || !recipient) continue;
    for (const account of [senders[n]!.account, recipient.account])
      pairs.set(channel + account, { channel, account });
  }
  return pairs.size > 0 ? selectMemberships(pool, [...pairs.values()]) : new Map();
};
