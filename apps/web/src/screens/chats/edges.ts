import type { SearchHit } from '@sotto/engine/views';

/** Around what was found, while a text is parsed. */
export const EDGE = '\ufdd1';

/** A text with an edge before and after each of the ranges, and nowhere else, whatever its writer put there. */
export const withEdges = ({ text, ranges }: SearchHit['snippet']): string => {
  // As long as what it stands for, so that the ranges still hold.
  const free = text.replaceAll(EDGE, '\ufffd');
  let edged = '';
  let at = 0;
  for (const [start, length] of ranges) {
    edged += free.slice(at, start) + EDGE + free.slice(start, start + length) + EDGE;
    at = start + length;
  }
  return edged + free.slice(at);
};
