import english from 'virtual:catalogue/en/welcome';
import { expect, test } from 'vitest';
import { addEnglish } from '../../i18n/i18n.ts';
import { finalHandleProblem, handleProblem, suggestHandle, tidyHandle } from './handle.ts';

addEnglish(english);

test.each([
  ['Ada Lovelace', 'ada_lovelace'],
  ['  José  Müller ', 'jose_muller'],
  ['Øyvind Straße', 'oyvind_strasse'],
  ['O’Neil', 'oneil'],
  ['42 Ada', 'ada'],
  ['Al', ''],
  ['Ольга', ''],
  ['A very long name that does not end', 'a_very_long_name_that_do'],
  ['Twenty three letters is_ one', 'twenty_three_letters_is'],
])('%s suggests %s', (name, handle) => {
  expect(suggestHandle(name)).toBe(handle);
});

test('what was typed is tidied without a word', () => {
  expect(tidyHandle('@Ada')).toBe('ada');
});

test('rules are named as they are broken, being short only at the end', () => {
  expect(handleProblem('')).toBeUndefined();
  expect(handleProblem('ad')).toBeUndefined();
  expect(handleProblem('ada l')).toMatch(/spaces/);
  expect(handleProblem('4da')).toMatch(/begins/);
  expect(handleProblem('ada-l')).toMatch(/“-”/);
  expect(handleProblem('a'.repeat(25))).toMatch(/at most 24/);
  expect(finalHandleProblem('')).toMatch(/Choose/);
  expect(finalHandleProblem('ad')).toMatch(/at least 3/);
  expect(finalHandleProblem('ada')).toBeUndefined();
});
