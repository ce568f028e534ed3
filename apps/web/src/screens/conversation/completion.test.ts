import { expect, test } from 'vitest';
import { namedAt, typedAt } from './completion.ts';

/** `|` is the caret. */
const at = (marked: string) => typedAt(marked.replace('|', ''), marked.indexOf('|'));

test.each([
  ['hello :smi|', { kind: 'emoji', query: 'smi', start: 6 }],
  [':+1|', { kind: 'emoji', query: '+1', start: 0 }],
  ['(:lä| more', { kind: 'emoji', query: 'lä', start: 1 }],
  ['see :s|', undefined],
  ['at 10:30|', undefined],
  ['https://a|', undefined],
  ['hi @|', { kind: 'mention', query: '', start: 3 }],
  ['hi @Ann Lee|', { kind: 'mention', query: 'Ann Lee', start: 3 }],
  ['hi @Ann will come later|', undefined],
  ['me@example|', undefined],
  ['@ليلى|', { kind: 'mention', query: 'ليلى', start: 0 }],
])('%j', (marked, found) => {
  expect(at(marked)).toEqual(found);
});

test('a name between colons', () => {
  expect(namedAt('so :tada:', 9)).toEqual({ code: 'tada', start: 3 });
  expect(namedAt('10:30:', 6)).toBeUndefined();
  expect(namedAt(':tada: ', 7)).toBeUndefined();
});
