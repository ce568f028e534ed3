import { describe, expect, it } from 'vitest';
import { parseQuery } from './query.ts';
import { snippetOf } from './snippet.ts';
import { fold, piecesOf, termsOf } from './words.ts';

const terms = (text: string): string[] => piecesOf(text).flatMap(termsOf);

const found = (text: string, query: string): string[] | undefined =>
  parseQuery(query)
    .match(text)
    ?.map(([start, length]) => text.slice(start, start + length));

describe('words', () => {
  it.each([
    ['Straße', 'strasse'],
    ['STRASSE', 'strasse'],
    ['ẞ', 'ss'],
    ['Ærø Łódź', 'aero lodz'],
    ['İstanbul ılık', 'istanbul ilik'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['οδός', 'οδοσ'],
    ['e\u0301a\u0308', 'ea'],
    ['ＡＢＣ ﬁ ｶﾞ', 'abc fi ガ'],
    ['か が', 'か が'],
    ['한국', '한국'],
    ['שָׁלוֹם', 'שלום'],
    ['مُحَمَّد أحمد ـــ', 'محمد احمد '],
    ['कि का', 'कि का'],
  ])('folds %s', (text, folded) => {
    expect(fold(text)).toBe(folded);
    expect(fold(folded)).toBe(folded);
  });

  it.each([
    ["Don't, a-b_c 3.14 ½", ['don', 't', 'a', 'b', 'c', '3', '14', '1', '2']],
    ['🎉👍🏽 🇫🇷 1️⃣ ❤️', ['🎉', '👍', '🇫🇷', '1', '❤']],
    ['東京都へ', ['東京', '京都', '都へ', 'へ']],
    ['iPhone用ケース', ['iphone', '用ケ', 'ケー', 'ース', 'ス']],
    ['กินข้าว', ['กิน', 'นข้', 'ข้า', 'าว', 'ว']],
    ['\ud800 \u0301 \0\n—…', []],
    ['', []],
  ])('finds the terms of %s', (text, expected) => {
    expect(terms(text)).toEqual(expected);
  });

  it('cuts what is long, between characters', () => {
    expect(terms('a'.repeat(100))).toEqual(['a'.repeat(40)]);
    expect(terms(`a${'𝔘\u{10400}'.repeat(50)}`)[0]).toMatch(/^au/);
    expect(terms(`a${'\u{10400}'.repeat(50)}`)[0]).toBe(`a${'\u{10428}'.repeat(19)}`);
  });
});

describe('a query', () => {
  it.each([
    ['Crème brûlée au café', 'CREME caf', ['Crème', 'café']],
    ['Crème brûlée', 'crem brulee', undefined],
    ['a cafe\u0301.', 'café', ['cafe\u0301']],
    ['one two', 'two one', ['one', 'two']],
    ['one two', 'one three', undefined],
    ['today', 'to', ['today']],
    ['東京都に住む', '京都', ['京都']],
    ['東京都に住む', '都', ['都']],
    ['東京都に住む', '京住', undefined],
    ['ｶﾞｷﾞ', 'ギ', ['ｷﾞ']],
    ['ababab', 'ab', ['ababab']],
    ['ここここ', 'ここ', ['ここここ']],
    ['party 🎉 now', '🎉', ['🎉']],
    ['שָׁלוֹם עולם', 'שלום', ['שָׁלוֹם']],
    ['anything', '', undefined],
    ['any…thing', '…', undefined],
  ])('in %j of %j', (text, query, expected) => {
    expect(found(text, query)).toEqual(expected);
  });

  it('looks for each term once, and for no more than is sensible', () => {
    expect(parseQuery('a b a a').needs).toEqual([
      { term: 'a', prefix: false },
      { term: 'b', prefix: false },
      { term: 'a', prefix: true },
    ]);
    expect(parseQuery('ab '.repeat(1000)).needs).toHaveLength(2);
    expect(parseQuery('東京都').needs).toEqual([
      { term: '東京', prefix: false },
      { term: '京都', prefix: true },
    ]);
  });
});

describe('a snippet', () => {
  const shown = (text: string, query: string): [string, string[]] => {
    const snippet = snippetOf(text, parseQuery(query).match(text)!);
    return [snippet.text, snippet.ranges.map(([at, length]) => snippet.text.slice(at, at + length))];
  };

  it('is a short text whole', () => {
    expect(shown('a short text', 'text')).toEqual(['a short text', ['text']]);
  });

  it('is the part of a long text around the first match', () => {
    const [text, matches] = shown(`${'before '.repeat(100)}here it is${' after'.repeat(100)}`, 'here after');
    expect(matches[0]).toBe('here');
    expect(matches.slice(1).every((match) => 'after'.startsWith(match))).toBe(true);
    expect(text.length).toBeLessThanOrEqual(162);
    expect(text.startsWith('…') && text.endsWith('…')).toBe(true);
    expect(shown(`here${' after'.repeat(100)}`, 'here')[0].startsWith('here')).toBe(true);
    expect(shown(`${'before '.repeat(100)}here`, 'here')[0].endsWith('here')).toBe(true);
  });

  it('cuts no character in halves', () => {
    for (let n = 0; n < 4; n += 1) {
      const [text] = shown(`${'x'.repeat(n)} ${'😀'.repeat(200)} here ${'😀'.repeat(200)}`, 'here');
      expect(/(?<![\ud800-\udbff])[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff])/.test(text)).toBe(false);
    }
  });
});
