import type { SegmentRow } from '../rows.ts';

/** For each term the numbers of the messages that have it, ascending. */
export type Postings = Map<string, number[]>;

/** A segment as it is read: of term `n`, the bytes from `ends[n]` to `ends[n + 1]`. */
export interface Segment {
  terms: string[];
  ends: Uint32Array;
  postings: Uint8Array;
}

/** Stands in no term. */
const SEPARATOR = '\n';

/** Seven bits a byte, the lowest first; the top bit says that more follow. */
const pushNumber = (bytes: number[], value: number): void => {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
};

/** Calls `visit` with each number in `bytes` from `from` to `to`. */
const eachNumber = (bytes: Uint8Array, from: number, to: number, visit: (value: number) => void): void => {
  let value = 0;
  let scale = 1;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at]!;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) {
      visit(value);
      value = 0;
      scale = 1;
    }
  }
};

/** Terms in their order; for each the difference of every number to the one before it. */
export const encodeSegment = (id: number, postings: Postings): SegmentRow => {
  const terms = [...postings.keys()].toSorted();
  const lengths: number[] = [];
  const bytes: number[] = [];
  for (const term of terms) {
    const start = bytes.length;
    let before = 0;
    for (const doc of postings.get(term)!) {
      pushNumber(bytes, doc - before);
      before = doc;
    }
    pushNumber(lengths, bytes.length - start);
  }
  return {
    id,
    terms: terms.join(SEPARATOR),
    lengths: Uint8Array.from(lengths),
    postings: Uint8Array.from(bytes),
  };
};

export const decodeSegment = ({ terms: joined, lengths, postings }: SegmentRow): Segment => {
  const terms = joined.split(SEPARATOR);
  const ends = new Uint32Array(terms.length + 1);
  let at = 0;
  eachNumber(lengths, 0, lengths.length, (length) => {
    ends[at + 1] = ends[at]! + length;
    at += 1;
  });
  return { terms, ends, postings };
};

/** Bytes that it takes at rest, nearly. */
export const sizeOf = ({ terms, lengths, postings }: SegmentRow): number =>
  terms.length + lengths.length + postings.length;

const eachDoc = ({ ends, postings }: Segment, term: number, visit: (doc: number) => void): void => {
  let doc = 0;
  eachNumber(postings, ends[term]!, ends[term + 1]!, (difference) => {
    doc += difference;
    visit(doc);
  });
};

/** The first term that does not stand before `term`. */
const lowerBound = (terms: readonly string[], term: string): number => {
  let low = 0;
  let high = terms.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (terms[middle]! < term) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Calls `visit` with the number of each message that has the term, or one that begins with it; maybe more than once. */
export const eachMatch = (
  segment: Segment,
  { term, prefix }: { term: string; prefix: boolean },
  visit: (doc: number) => void,
): void => {
  const { terms } = segment;
  for (let at = lowerBound(terms, term); at < terms.length; at += 1) {
    if (prefix ? !terms[at]!.startsWith(term) : terms[at] !== term) return;
    eachDoc(segment, at, visit);
  }
};

/** What segments hold together, each with lower numbers than the next; without the numbers in `dropped`. */
export const joinSegments = (segments: readonly Segment[], dropped?: ReadonlySet<number>): Postings => {
  const joined: Postings = new Map();
  for (const segment of segments) {
    for (const [at, term] of segment.terms.entries()) {
      const docs = joined.get(term) ?? [];
      eachDoc(segment, at, (doc) => {
        if (!dropped?.has(doc)) docs.push(doc);
      });
      if (docs.length > 0) joined.set(term, docs);
    }
  }
  return joined;
};
