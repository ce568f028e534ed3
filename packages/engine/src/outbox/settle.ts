import { type ErrorCode, RelayError } from '@sotto/contract/errors';
import type { SendResult } from '@sotto/contract/events/relay';
import { RESEND_LIFETIME } from '@sotto/crypto/limits';
import { messageFailed, messageSent } from '../conversations/outcome.ts';
import { timely } from '../conversations/order.ts';
import { enqueueSync, toSync } from '../devices/sync.ts';
import type { Draft } from '../model.ts';
import type { Store } from '../ports.ts';
import type { OutboxRow, SelfRow, SendProblem } from '../rows.ts';
import { rowDropped } from './dropped.ts';
import { forgetKeys } from './recipients.ts';

/** Refusals that say that the recipient's devices are others now. */
const OUTDATED: readonly ErrorCode[] = ['device-unknown', 'stale-devices'];
/** How often a message is encrypted anew after one of them. */
const RENEWALS = 3;
/** Own devices hear of what was sent a little later, so that times at the relay tell less of who wrote it. */
const SYNC_JITTER_MS = 1_000;

export interface Settling {
  store: Store;
  self: SelfRow;
  now: number;
  /** How many rows at most are settled in this draft. */
  settled: number;
  times: Times;
}

export const createTimes = (now: () => number) => {
  let sync = 0;
  let failed = 0;
  return {
    /** When a notice to own devices leaves, in ms: one time for all that wait, so that none overtakes another. */
    sync(): number {
      const isNear = sync > now() && sync <= now() + SYNC_JITTER_MS;
      return isNear ? sync : (sync = now() + Math.random() * SYNC_JITTER_MS);
    },
    /** Where a message that fails stands: behind those that failed before. */
    failed: (): number => (failed = Math.max(now(), failed + 1)),
  };
};
type Times = ReturnType<typeof createTimes>;

/** The row is with somebody, since the time `accepted`: it has its place, and own other devices hear of it. */
export const sentRow = async (
  draft: Draft,
  row: OutboxRow,
  accepted: number,
  context: Settling,
): Promise<void> => {
  const { store, self, now, settled, times } = context;
  const at = timely(accepted, now);
  await messageSent(draft, store, self, row, { at, now }, settled);
  // What is posted to a group comes to one's own devices as to everybody's.
  const sent = row.post ? undefined : toSync(row, self);
  if (!sent) return;
  const message = 'id' in sent ? await draft.get('message', [row.conversation, sent.id]) : undefined;
  const place = message?.from === self.account && message.at !== undefined ? { at: message.order } : {};
  enqueueSync(draft, self, row.conversation, sent, { ...place, notBefore: times.sync() });
};

/** Then devices that are not there are looked for again, in seconds. */
export const AWAY_SECONDS = 600;

/**
 * A key of a group that did not reach anybody is owed: nobody reads without it, and a later message does not bring it. The
 * row as it is kept; undefined when there is nothing to keep.
 */
const owedKey = (row: OutboxRow, problem: SendProblem, now: number): OutboxRow | undefined => {
  if (!row.hand || problem === 'account-unknown') return undefined;
  const { envelopes: _, renewals: _r, ...plain } = row;
  return { ...plain, owed: row.owed ?? now };
};

/** The row goes to nobody, for the reason named; or not now: then the seconds to leave it alone. */
export const failRow = async (
  draft: Draft,
  row: OutboxRow,
  problem: SendProblem,
  { store, self, now, settled, times }: Settling,
): Promise<number | undefined> => {
  const kept = owedKey(row, problem, now);
  if (kept) {
    draft.put('outbox', kept, row.seq);
    return AWAY_SECONDS;
  }
  draft.remove('outbox', row.seq);
  await rowDropped(draft, row, { self, notBefore: times.sync() });
  if (row.owed !== undefined || row.to !== undefined) return undefined;
  await messageFailed(draft, store, self, row, problem, { order: times.failed(), settled });
  return undefined;
};

/** What becomes of a post that has an outcome; the seconds to leave it alone where the relay said "later". */
const settlePost = async (
  draft: Draft,
  row: OutboxRow,
  result: SendResult,
  context: Settling,
): Promise<number | undefined> => {
  if ('at' in result) {
    draft.remove('outbox', row.seq);
    await sentRow(draft, row, result.at, context);
    return undefined;
  }
  if (new RelayError(result.code).retry) return result.retryAfter ?? 0;
  if (result.code === 'stale-epoch') {
    const { post: _, ...plain } = row;
    draft.put('outbox', plain, row.seq);
    return 0;
  }
  const problem = result.code === 'channel-unknown' ? 'not-a-member' : result.code;
  return failRow(draft, row, problem, context);
};

/** Without the devices that refused it for good, and without bytes where new ones are to be made. */
const remaining = (row: OutboxRow, results: readonly SendResult[]): OutboxRow | undefined => {
  const of = (test: (result: SendResult) => boolean) =>
    row.envelopes!.filter(({ id }) => results.some((result) => result.id === id && test(result)));
  const again = of((result) => 'code' in result && new RelayError(result.code).retry);
  const outdated = of((result) => 'code' in result && OUTDATED.includes(result.code));
  if (again.length + outdated.length === 0) return undefined;
  const { envelopes, ...plain } = row;
  const gone = envelopes!.filter((one) => !again.includes(one) && !outdated.includes(one));
  const done = [...(row.done ?? []), ...gone.map(({ device }) => device)];
  return outdated.length > 0
    ? { ...plain, done, renewals: (row.renewals ?? 0) + 1 }
    : { ...plain, done, envelopes: again };
};

/**
 * What becomes of a row whose envelopes all have an outcome; the seconds to leave it alone where the relay said "later".
 * It counts as sent once one device's copy was taken: the others are owed theirs and hold up nothing.
 */
export const settleRow = async (
  draft: Draft,
  row: OutboxRow,
  results: readonly SendResult[],
  context: Settling,
): Promise<number | undefined> => {
  if (row.post) return settlePost(draft, row, results[0]!, context);
  const taken = results.flatMap((result) => ('at' in result ? [result.at] : []));
  const refusals = results.flatMap((result) => ('code' in result ? [result] : []));
  const wait = Math.max(0, ...refusals.map(({ retryAfter }) => retryAfter ?? 0));
  const outdated = refusals.find(({ code }) => OUTDATED.includes(code));
  if (outdated) await forgetKeys(draft, row.conversation);
  if (taken.length > 0 && row.owed === undefined) await sentRow(draft, row, Math.min(...taken), context);
  if (taken.length === 0 && row.owed === undefined) {
    const final = refusals.find(({ code }) => !OUTDATED.includes(code) && !new RelayError(code).retry);
    const given = final ?? ((row.renewals ?? 0) >= RENEWALS ? outdated : undefined);
    if (given) return failRow(draft, row, given.code, context);
  }
  const left = remaining(row, results);
  const owed = row.owed ?? (taken.length > 0 ? context.now : undefined);
  const isOver = owed !== undefined && context.now >= owed + RESEND_LIFETIME;
  const isSpent = left !== undefined && (left.renewals ?? 0) > RENEWALS;
  if (isSpent && row.hand && !isOver) return failRow(draft, left, outdated!.code, context);
  if (!left || isOver || isSpent) {
    draft.remove('outbox', row.seq);
    return undefined;
  }
  draft.put('outbox', { ...left, ...(owed !== undefined && { owed }) }, row.seq);
  return left.envelopes ? wait : undefined;
};
