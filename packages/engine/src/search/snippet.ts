import type { Range } from './query.ts';

/** In UTF-16 code units: what is shown whole, and of longer texts before the first match and in all. */
const WHOLE = 160;
const BEFORE = 40;

const ELLIPSIS = '…';

/** Not between the halves of a character. */
const boundary = (text: string, at: number): number => {
  const code = text.charCodeAt(at);
  return at > 0 && code >= 0xdc00 && code < 0xe000 ? at - 1 : at;
};

/** The part of a text around its first match, with the matches in it. */
export const snippetOf = (text: string, ranges: readonly Range[]): { text: string; ranges: Range[] } => {
  const [first] = ranges;
  if (text.length <= WHOLE || !first) return { text, ranges: ranges.map(([at, length]) => [at, length]) };
  const from = boundary(text, Math.max(0, Math.min(first[0] - BEFORE, text.length - WHOLE)));
  const to = boundary(text, Math.min(text.length, from + WHOLE));
  const lead = from > 0 ? ELLIPSIS : '';
  const shown: Range[] = [];
  for (const [start, length] of ranges) {
    const end = Math.min(start + length, to);
    if (end > start) shown.push([start - from + lead.length, end - start]);
  }
  return { text: lead + text.slice(from, to) + (to < text.length ? ELLIPSIS : ''), ranges: shown };
};
