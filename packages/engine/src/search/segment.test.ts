import { describe, expect, it } from 'vitest';
import { createCache } from './cache.ts';
import { conversationTerm, partitionOf, PARTITIONS, partitionsFor } from './partition.ts';
import { decodeSegment, eachMatch, encodeSegment, joinSegments, type Postings } from './segment.ts';

const segment = (postings: Record<string, number[]>) =>
  decodeSegment(encodeSegment(1, new Map(Object.entries(postings))));

const matches = (of: ReturnType<typeof segment>, term: string, prefix: boolean): number[] => {
  const docs: number[] = [];
  eachMatch(of, { term, prefix }, (doc) => docs.push(doc));
  return docs;
};

describe('a segment', () => {
  it('gives back what it was made of, whatever the numbers', () => {
    const numbers = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 + 5, 2 ** 40];
    const postings: Postings = new Map([
      ['b', numbers],
      ['a', [7]],
      ['\0conversation', [0]],
      ['\u{1f389}', [3, 4]],
      ['ﬀ', [9]],
    ]);
    expect(joinSegments([decodeSegment(encodeSegment(1, postings))])).toEqual(postings);
  });

  it('finds a term, and those that begin with it', () => {
    const of = segment({ to: [1], toad: [2], today: [3, 5], tod: [4], u: [6] });
    expect(matches(of, 'to', false)).toEqual([1]);
    expect(matches(of, 'tod', true)).toEqual([4, 3, 5]);
    expect(matches(of, 'to', true).toSorted()).toEqual([1, 2, 3, 4, 5]);
    expect(matches(of, 'toda', false)).toEqual([]);
    expect(matches(of, 'a', true)).toEqual([]);
    expect(matches(of, 'z', true)).toEqual([]);
  });

  it('is joined with the next, without what was dropped and terms that nothing has any more', () => {
    const joined = joinSegments(
      [segment({ a: [1, 2], b: [1] }), segment({ a: [3], c: [4] })],
      new Set([1, 4]),
    );
    expect(joined).toEqual(new Map([['a', [2, 3]]]));
  });
});

describe('a partition', () => {
  it('is found from a term, and from what begins it', () => {
    for (const term of ['a', 'ab', 'abc', '京', '京都', '🎉', '🎉x', '𐐨𐐨𐐨', conversationTerm('xyz')]) {
      const partition = partitionOf(term);
      expect(partition).toBeGreaterThanOrEqual(0);
      expect(partition).toBeLessThan(PARTITIONS);
      expect(partitionsFor({ term, prefix: false })).toEqual([partition]);
      const points = [...term];
      for (let n = 1; n <= points.length && !term.startsWith('\0'); n += 1) {
        const places = partitionsFor({ term: points.slice(0, n).join(''), prefix: true });
        expect(places).toContain(partition);
        expect(places).toHaveLength(n === 1 ? 4 : 1);
      }
    }
  });

  it('is not the same for all conversations', () => {
    const used = Array.from('abcdefgh', (letter) => partitionOf(conversationTerm(letter.repeat(3))));
    expect(new Set(used).size).toBeGreaterThan(3);
  });
});

describe('a cache', () => {
  it('lets go of what was not used for longest', () => {
    const cache = createCache(10);
    cache.set('a', 1, 4);
    cache.set('b', 2, 4);
    expect(cache.get('a')).toBe(1);
    cache.set('c', 3, 4);
    expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual([1, undefined, 3]);
    cache.set('a', 4, 1);
    cache.set('d', 5, 5);
    expect(['a', 'c', 'd'].map((key) => cache.get(key))).toEqual([4, 3, 5]);
    cache.set('large', 6, 11);
    expect(['a', 'c', 'd', 'large'].some((key) => cache.get(key) !== undefined)).toBe(false);
  });
});
