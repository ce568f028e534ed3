import { expect, test } from 'vitest';
import all from 'virtual:emoji';
import arabic from 'virtual:emoji-ar';
import german from 'virtual:emoji-de';
import english from 'virtual:emoji-en';
import spanish from 'virtual:emoji-es';
import type { Emoji } from './emoji-data.ts';
import { emojiOf, findEmoji } from './find-emoji.ts';

const named = (names: string[][]): Emoji[] =>
  all.map(([emoji, group, version, codes, skins], index) => {
    const [label = '', ...words] = names[index] ?? [];
    return { emoji, group, version, codes: codes.split(' '), skins: skins.split(' '), label, words };
  });
const find = (names: string[][], query: string, recent: string[] = []): string[] =>
  findEmoji(named(names), query, recent, 5).map(({ emoji }) => emoji);

test('every emoji has a name in every language, and one between colons', () => {
  expect(all.length).toBeGreaterThan(1800);
  for (const names of [english, german, spanish, arabic]) {
    expect(names).toHaveLength(all.length);
    expect(names.every(([label]) => label !== undefined && label !== '')).toBe(true);
  }
  expect(all.every(([, , , codes]) => /^[\w+-]+(?: [\w+-]+)*$/.test(codes))).toBe(true);
});

test('the nearest first, in the language in use and by the English codes', () => {
  expect(find(english, 'rocket')[0]).toBe('🚀');
  expect(find(english, 'tada')[0]).toBe('🎉');
  expect(find(german, 'rakete')[0]).toBe('🚀');
  expect(find(german, 'tada')[0]).toBe('🎉');
  expect(find(spanish, 'corazon rojo')[0]).toBe('❤️');
  expect(find(arabic, 'صاروخ')[0]).toBe('🚀');
  expect(find(english, 'hear')[0]).toBe('❤️');
  expect(find(english, 'no such thing')).toEqual([]);
});

test('of those that are as near, what was used last comes first', () => {
  const [first, second] = find(english, 'heart_');
  expect(first).not.toBe(second);
  expect(find(english, 'heart_', [second!])[0]).toBe(second);
});

test('a whole code', () => {
  expect(emojiOf(named(english), 'TADA')).toBe('🎉');
  expect(emojiOf(named(english), 'tad')).toBeUndefined();
});
