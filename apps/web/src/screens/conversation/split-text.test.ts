import { expect, test } from 'vitest';
import { splitText } from './split-text.ts';

test('what is short enough stays whole', () => {
  expect(splitText('a b', 10)).toEqual(['a b']);
  expect(splitText(' ', 10)).toEqual([]);
});

test.each([
  ['one two\n\nthree four', 14, ['one two', 'three four']],
  ['one two.\nthree. four five', 18, ['one two.\nthree.', 'four five']],
  ['one two three', 8, ['one two', 'three']],
  ['one. Two three', 12, ['one. Two', 'three']],
  ['abcdefgh', 3, ['abc', 'def', 'gh']],
  ['ab😀cd', 3, ['ab', '😀c', 'd']],
])('%j in parts of %i', (text, most, parts) => {
  expect(splitText(text, most)).toEqual(parts);
});

test('nothing is lost but the spaces between', () => {
  const text = Array.from({ length: 400 }, (_, at) => `word${at}${at % 7 === 0 ? '.\n\n' : ' '}`).join('');
  const parts = splitText(text, 100);
  expect(parts.every((part) => part.length <= 100)).toBe(true);
  expect(parts.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
});
