import { expect, test } from 'vitest';
import { EDGE, withEdges } from './edges.ts';

const found = (...snippet: Parameters<typeof withEdges>): string[] =>
  withEdges(...snippet)
    .split(EDGE)
    .filter((_, index) => index % 2 === 1);

test('what was found stands between edges', () => {
  const ranges: [number, number][] = [
    [0, 3],
    [8, 4],
  ];
  expect(found({ text: 'one and four', ranges })).toEqual(['one', 'four']);
});

test('an edge that a peer wrote changes nothing', () => {
  const ranges: [number, number][] = [
    [1, 3],
    [9, 4],
  ];
  expect(found({ text: `${EDGE}one and four${EDGE}`, ranges })).toEqual(['one', 'four']);
});
