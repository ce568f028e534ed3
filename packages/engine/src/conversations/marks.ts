import type { Marks, MessageRow, Reach, Version } from '../rows.ts';

/** Texts kept of one message after its first. */
const EDITS = 10;

type Reaction = NonNullable<Marks['reactions']>[string];
type Deletion = NonNullable<Marks['deleted']>;

const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : Number(a > b));

/** By the author's clock; where that says nothing, by what it says: every device comes to the same last one. */
const byTime = (a: Version, b: Version): number =>
  compare(a.sentAt, b.sentAt) ||
  compare(a.text, b.text) ||
  compare(JSON.stringify(a.mentions ?? []), JSON.stringify(b.mentions ?? []));

const mergeEdits = (a: Version[], b: Version[]): Version[] =>
  [...a, ...b]
    .toSorted(byTime)
    .filter((edit, at, all) => at === 0 || byTime(all[at - 1]!, edit) !== 0)
    .slice(-EDITS);

const laterReaction = (a: Reaction, b: Reaction): Reaction =>
  (compare(a.sentAt, b.sentAt) || compare(a.emoji ?? '', b.emoji ?? '')) < 0 ? b : a;

const firstDeletion = (a: Deletion, b: Deletion): Deletion =>
  (compare(a.sentAt, b.sentAt) || compare(a.by, b.by)) <= 0 ? a : b;

const furtherReach = (a: Reach, b: Reach): Reach => (b === 'read' ? b : a);

const either = <T>(a: T | undefined, b: T | undefined, join: (a: T, b: T) => T): T | undefined =>
  a === undefined || b === undefined ? (a ?? b) : join(a, b);

/** The members of two records, those of both by `join`. */
const mergeRecords = <T>(a: Record<string, T>, b: Record<string, T>, join: (a: T, b: T) => T) => {
  const merged = { ...a };
  for (const [key, value] of Object.entries(b)) merged[key] = either(merged[key], value, join)!;
  return merged;
};

type Times = NonNullable<Marks['reachedAt']>[string];

const firstTimes = (a: Times, b: Times): Times =>
  mergeRecords(a as Record<string, number>, b as Record<string, number>, Math.min);

/**
 * Both together, whatever the order in which they came and however often. What is deleted has no texts and no reactions
 * any more.
 */
export const mergeMarks = (a: Marks, b: Marks): Marks => {
  const reached = either(a.reached, b.reached, (one, two) =>
    mergeRecords(one, two, (x, y) => mergeRecords(x, y, furtherReach)),
  );
  const reachedAt = either(a.reachedAt, b.reachedAt, (one, two) => mergeRecords(one, two, firstTimes));
  const kept = { ...(reached && { reached }), ...(reachedAt && { reachedAt }) };
  const deleted = either(a.deleted, b.deleted, firstDeletion);
  if (deleted) return { deleted, ...kept };
  const edits = either(a.edits, b.edits, mergeEdits);
  const reactions = either(a.reactions, b.reactions, (one, two) => mergeRecords(one, two, laterReaction));
  return { ...(edits && { edits }), ...(reactions && { reactions }), ...kept };
};

/** The texts that a message has and had, the first first. */
export const versionsOf = ({ text, mentions, sentAt, edits = [], edited }: MessageRow): Version[] => [
  ...edits,
  { text, ...(mentions && { mentions }), sentAt: edited ?? sentAt },
];

const marksOf = (row: MessageRow): Marks => {
  const { deleted, reactions, reached, reachedAt, edited } = row;
  return {
    ...(edited !== undefined && { edits: versionsOf(row).slice(1) }),
    ...(deleted && { deleted }),
    ...(reactions && { reactions }),
    ...(reached && { reached }),
    ...(reachedAt && { reachedAt }),
  };
};

/** The message with `marks`; the same row when they say nothing new. */
export const withMarks = (row: MessageRow, marks: Marks): MessageRow => {
  const before = marksOf(row);
  const after = mergeMarks(before, marks);
  if (JSON.stringify(after) === JSON.stringify(before)) return row;
  const { edits, ...others } = after;
  if (others.deleted) {
    // Nothing of what it said stays.
    const { mentions, edits: _, edited, newer, reply, forwarded, reactions, starred, ...rest } = row;
    return { ...rest, ...others, text: '', unindexed: 1 };
  }
  if (!edits) return { ...row, ...others };
  const [first, ...later] = [versionsOf(row)[0]!, ...edits];
  const { text, mentions, sentAt } = later.at(-1)!;
  const { mentions: _, ...rest } = row;
  return {
    ...rest,
    ...others,
    text,
    ...(mentions && { mentions }),
    edits: [first, ...later.slice(0, -1)],
    edited: sentAt,
    ...(text !== row.text && { unindexed: 1 as const }),
  };
};
