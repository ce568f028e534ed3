import { type Piece, piecesOf, termsOf } from './words.ts';

/** In UTF-16 code units; what is beyond is not looked for. */
const LONGEST = 200;

/** A term, or what terms begin with, that the index must have for a message. */
export interface Need {
  term: string;
  prefix: boolean;
}

/** From where in a text, in UTF-16 code units, and how long. */
export type Range = [start: number, length: number];

export interface Query {
  /** A message that has all of them may match; the others do not. Empty: there is nothing to look for. */
  needs: Need[];
  /** Where a text has what is looked for; undefined when it lacks some of it. */
  match(text: string): Range[] | undefined;
}

type Finder = (piece: Piece) => Range[];

const findWord =
  ({ term, prefix }: Need): Finder =>
  (piece) => {
    if (!('terms' in piece)) return [];
    const found = piece.terms.some((word) => (prefix ? word.startsWith(term) : word === term));
    return found ? [[piece.start, piece.length]] : [];
  };

/** Finds a stretch of characters wherever it begins. */
const findRun =
  (wanted: string): Finder =>
  (piece) => {
    if (!('clusters' in piece)) return [];
    const { clusters } = piece;
    const ranges: Range[] = [];
    for (const [from, { start }] of clusters.entries()) {
      let text = '';
      let to = from;
      for (; to < clusters.length && text.length < wanted.length; to += 1) text += clusters[to]!.folded;
      if (!text.startsWith(wanted)) continue;
      const end = clusters[to - 1]!;
      ranges.push([start, end.start + end.length - start]);
    }
    return ranges;
  };

/** In their order, and as one where they touch within a word. */
const join = (ranges: Range[]): Range[] => {
  const joined: Range[] = [];
  for (const [start, length] of ranges.toSorted((a, b) => a[0] - b[0] || b[1] - a[1])) {
    const last = joined.at(-1);
    if (last && start < last[0] + last[1]) last[1] = Math.max(last[1], start + length - last[0]);
    else joined.push([start, length]);
  }
  return joined;
};

const unique = (needs: Need[]): Need[] => [
  ...new Map(needs.map((need) => [`${need.prefix} ${need.term}`, need])).values(),
];

/**
 * All words have to be there, in any order; the last may be the beginning of one. What is written without spaces is
 * found wherever it stands.
 */
export const parseQuery = (text: string): Query => {
  const pieces = piecesOf(text.slice(0, LONGEST));
  const needs: Need[] = [];
  const finders: Finder[] = [];
  for (const [at, piece] of pieces.entries()) {
    const isLast = at === pieces.length - 1;
    const terms = termsOf(piece);
    if ('clusters' in piece) {
      const wanted = piece.clusters.map(({ folded }) => folded).join('');
      // The last character alone is the beginning of a pair, if it is not found with the one before it.
      const pairs = terms.slice(0, Math.max(1, terms.length - 1));
      needs.push(...pairs.map((term, n) => ({ term, prefix: n === pairs.length - 1 })));
      finders.push(findRun(wanted));
      continue;
    }
    for (const [n, term] of terms.entries()) {
      const need = { term, prefix: isLast && n === terms.length - 1 };
      needs.push(need);
      finders.push(findWord(need));
    }
  }
  return {
    needs: unique(needs),
    match(message) {
      const parts = piecesOf(message);
      const found = finders.map((find) => parts.flatMap(find));
      if (found.length === 0 || found.some((ranges) => ranges.length === 0)) return undefined;
      return join(found.flat());
    },
  };
};
