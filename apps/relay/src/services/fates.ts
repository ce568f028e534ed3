import type { OutgoingEnvelope, OutgoingPost } from '@sotto/contract/envelope';
import type { ErrorCode } from '@sotto/contract/errors';
import type { SendResult } from '@sotto/contract/events/relay';
import type { DeviceId } from '@sotto/contract/ids';
import type { Job } from './lane.ts';
import type { Identity } from './tokens.ts';
import type { Refused } from './way-in.ts';

/** What one device sends in one event. */
export interface SendJob extends Job {
  identity: Identity;
  items: readonly (OutgoingEnvelope | OutgoingPost)[];
  /** What stood before it in its event was refused for the moment: so is this. */
  held?: Refused | undefined;
  done: (results: SendResult[]) => void;
}

/** What becomes of one item; `fresh` when it was stored just now. */
export type Fate = Refused | { at: number; fresh?: boolean };

/** Refusals of what may pass when it is sent again. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'busy',
  'inbox-full',
  'no-space',
  'requests-full',
  'too-many-requests',
]);

/** What follows a refusal that may pass, in one event and to one device, is refused alike: sent again, both are in order. */
export const keepOrder = (
  jobs: readonly SendJob[],
  verdicts: (Refused | boolean)[],
  isKnown: (envelope: OutgoingEnvelope) => boolean,
): void => {
  let n = -1;
  for (const { items } of jobs) {
    const held = new Map<DeviceId, Refused>();
    for (const envelope of items as OutgoingEnvelope[]) {
      n += 1;
      if (isKnown(envelope)) continue;
      const verdict = verdicts[n]!;
      const before = held.get(envelope.device);
      if (before) verdicts[n] = before;
      else if (typeof verdict === 'object' && PASSING.has(verdict.code)) held.set(envelope.device, verdict);
    }
  }
};

/** The first items and the others, to be stored in this order. The sender hears of all of them in one go. */
export const splitJob = (job: SendJob, count: number): [SendJob, SendJob] => {
  const part = (items: SendJob['items']): SendJob => {
    const bytes = items.reduce((sum, { body }) => sum + body.length, 0);
    return { ...job, items, rows: items.length, bytes };
  };
  const [first, rest] = [part(job.items.slice(0, count)), part(job.items.slice(count))];
  first.done = (before) => {
    const passing = before.find((result) => 'code' in result && PASSING.has(result.code));
    if (passing && 'code' in passing) {
      const { code, retryAfter } = passing;
      rest.held = { code, ...(retryAfter !== undefined && { retryAfter }) };
    }
    rest.done = (results) => job.done([...before, ...results]);
  };
  return [first, rest];
};

/** Whatever is wrong with one row is not the others' fault: a batch that fails is tried again by halves. */
export const storeByHalves = async <Row>(
  rows: readonly Row[],
  store: (rows: readonly Row[]) => Promise<Fate[]>,
  problem: (error: unknown) => Refused,
): Promise<Fate[]> => {
  try {
    return await store(rows);
  } catch (error) {
    const refused = problem(error);
    if (rows.length === 1 || refused.code !== 'internal') return rows.map(() => refused);
    const middle = rows.length >> 1;
    const fates = await storeByHalves(rows.slice(0, middle), store, problem);
    // Nothing is stored behind what may be sent again.
    const passing = fates.find((fate) => 'code' in fate && PASSING.has(fate.code));
    const left = rows.slice(middle);
    return [...fates, ...(passing ? left.map(() => passing) : await storeByHalves(left, store, problem))];
  }
};
