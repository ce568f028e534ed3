import type { OutgoingEnvelope, OutgoingPost } from '@sotto/contract/envelope';
import type { SendResult } from '@sotto/contract/events/relay';
import { LIMITS } from '@sotto/contract/limits';
import type { OutboxRow } from '../rows.ts';
import { laneOf } from './lanes.ts';

/** In bytes, nearly. */
export const LARGEST_FRAME = LIMITS.frameBytes / 2;
/** What stands around a body, in bytes at most. */
const AROUND = 256;

type Part = { id: string; body: Uint8Array };

/** What of a row goes to the relay, each with an answer of its own. */
export const partsOf = ({ post, envelopes }: OutboxRow): readonly Part[] =>
  post ? [post] : (envelopes ?? []);

export const isReady = (row: OutboxRow): boolean => partsOf(row).length > 0;

/** Answers of the relay by id. A row is settled once all that it consists of has one. */
export type Answers = ReadonlyMap<string, SendResult>;

export const isAnswered = (row: OutboxRow, answers: Answers): boolean =>
  partsOf(row).every(({ id }) => answers.has(id));

export interface Frame {
  envelopes: OutgoingEnvelope[];
  posts: OutgoingPost[];
  ids: string[];
}

/** Of the chains that a row was encrypted by; of a post, the state of the group that it was made in. */
const headsOf = ({ post, envelopes = [] }: OutboxRow): string =>
  post ? `${post.epoch}` : [...new Set(envelopes.map(({ head }) => head))].toSorted().join(' ');

/**
 * Those that may go at once: of a lane as many as were encrypted by the same chains, or in the same state of the group. The relay takes
 * what goes by those as they are and refuses what does not, so that a message could overtake one that was written before it.
 */
const together = (rows: readonly OutboxRow[]): OutboxRow[] => {
  const lanes = new Map<string, { heads: string; ended: boolean }>();
  return rows.filter((row) => {
    const [lane, heads] = [laneOf(row), headsOf(row)];
    const known = lanes.get(lane) ?? { heads, ended: false };
    lanes.set(lane, known);
    known.ended ||= known.heads !== heads;
    return !known.ended;
  });
};

/** Without answer yet, in order; of `single`, those of the first row alone. */
const openParts = (rows: readonly OutboxRow[], answers: Answers, single: boolean) => {
  const open = together(rows).flatMap((row) =>
    partsOf(row)
      .filter(({ id }) => !answers.has(id))
      .map((part) => ({ row, part })),
  );
  return single ? open.filter(({ row }) => row === open[0]!.row) : open;
};

/** What of `rows` fits into `most` bytes, in their order, one part at least: a row may take several frames. */
export const frameOf = (
  rows: readonly OutboxRow[],
  answers: Answers,
  { most, single }: { most: number; single: boolean },
): Frame => {
  const frame: Frame = { envelopes: [], posts: [], ids: [] };
  let bytes = 0;
  for (const { row, part } of openParts(rows, answers, single)) {
    bytes += part.body.length + AROUND;
    const isFull = row.post
      ? frame.posts.length === LIMITS.postsPerSend
      : frame.envelopes.length === LIMITS.envelopesPerSend;
    if (frame.ids.length > 0 && (isFull || bytes > most)) break;
    if (row.post) frame.posts.push({ ...part, channel: row.conversation } as OutgoingPost);
    else frame.envelopes.push(part as unknown as OutgoingEnvelope);
    frame.ids.push(part.id);
  }
  return frame;
};
