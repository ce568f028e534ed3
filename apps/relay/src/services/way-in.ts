import { hash } from 'node:crypto';
import type { OutgoingEnvelope } from '@sotto/contract/envelope';
import type { ErrorCode } from '@sotto/contract/errors';
import type { AccountId, DeviceId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type pg from 'pg';
import { countRequests, selectMemberships, selectRecipients, type Recipient } from '../store/envelopes.ts';
import type { LimitKind } from './limits.ts';

/** Throws when there is too much of something. */
export interface Taker {
  take(kind: LimitKind, key: string, points?: number): void;
}

export type Refused = { code: ErrorCode; retryAfter?: number };

interface Asked {
  envelopes: readonly OutgoingEnvelope[];
  /** Of each envelope. */
  senders: readonly AccountId[];
  /** What goes to the client instead of an error. */
  problem: (error: unknown) => Refused;
}

/** What the relay knows of a delivery token. */
export const tokenHash = (token: string): string =>
  hash('sha256', Buffer.from(token, 'base64url'), 'base64url' as 'base64');

/** For each envelope: refused, or whether it is a request. */
export const checkWaysIn = async (
  pool: pg.Pool,
  limits: Taker,
  { envelopes, senders, problem }: Asked,
): Promise<(Refused | boolean)[]> => {
  const recipients = await selectRecipients(pool, [...new Set(envelopes.map(({ device }) => device))]);
  const inChannel = await membershipsOf(pool, { envelopes, senders }, recipients);
  const strangers = new Set<DeviceId>();
  const verdicts = envelopes.map(({ device, head, token, channel }, n): Refused | boolean => {
    const recipient = recipients.get(device);
    const account = senders[n]!;
    if (!recipient) return { code: 'device-unknown' };
    if (recipient.head !== head) return { code: 'stale-devices' };
    const invited =
      recipient.account === account ||
      (channel !== undefined &&
        inChannel.has(channel + account) &&
        inChannel.has(channel + recipient.account)) ||
      (token !== undefined && recipient.delivery === tokenHash(token));
    return !invited;
  });
  // Before anything is counted: what is refused anyway costs little.
  const limited = verdicts.map((verdict, n) => {
    if (verdict !== true) return verdict;
    try {
      limits.take('strangers', senders[n]!);
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
): Promise<Set<string>> => {
  const pairs = new Map<string, Parameters<typeof selectMemberships>[1][number]>();
  for (const [n, { channel, device }] of envelopes.entries()) {
    const recipient = recipients.get(device);
    if (channel === undefined || !recipient) continue;
    for (const account of [senders[n]!, recipient.account])
      pairs.set(channel + account, { channel, account });
  }
  return pairs.size > 0 ? selectMemberships(pool, [...pairs.values()]) : new Set();
};
