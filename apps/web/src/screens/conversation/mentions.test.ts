import type { Person } from '@sotto/engine/views';
import { expect, test } from 'vitest';
import { findMentions, markMentions, MENTION_MARK, mentionName } from './mentions.ts';

const person = (account: string, name: string, handle = name.toLowerCase().replaceAll(' ', '_')) =>
  ({ account, name, handle, verified: false }) as Person;
const ann = person('1', 'Ann');
const lee = person('2', 'Ann Lee');
const bob = person('3', 'Bob', 'bob_b');
const twin = person('4', 'Bob', 'bob_c');

const named = (text: string, people: Person[]): string[] =>
  findMentions(text, people, 100).map(
    ({ account, start, length }) => `${account}:${text.slice(start, start + length)}`,
  );

test('the longest name that stands there whole', () => {
  expect(named('@Ann and @Ann Lee, (@Bob)', [ann, lee, bob])).toEqual(['1:@Ann', '2:@Ann Lee', '3:@Bob']);
  expect(named('@Anna @Ann_', [ann])).toEqual([]);
  expect(named('me@Ann.test', [ann])).toEqual([]);
  expect(named('@Ann@Ann', [ann])).toEqual(['1:@Ann']);
});

test('of two with one name the handle tells', () => {
  expect(mentionName(bob, [bob, twin])).toBe('@bob_b');
  expect(named('@Bob @bob_c', [bob, twin])).toEqual(['4:@bob_c']);
  expect(named('@bob_b', [bob])).toEqual(['3:@bob_b']);
  expect(named('@BOB_b and @bob', [bob])).toEqual(['3:@BOB_b', '3:@bob']);
});

test('no more than there may be', () => {
  expect(findMentions('@Ann '.repeat(5), [ann], 3)).toHaveLength(3);
});

test('marks stand for mentions, whatever a sender says of them', () => {
  const text = `hi @Ann ${MENTION_MARK}!`;
  expect(markMentions(text, [{ account: ann.account, start: 3, length: 4 }])).toEqual({
    marked: `hi ${MENTION_MARK} !`,
    named: [{ account: '1', text: '@Ann' }],
  });
  expect(
    markMentions('abc', [
      { account: ann.account, start: 0, length: 2 },
      { account: bob.account, start: 1, length: 1 },
      { account: bob.account, start: 2, length: 9 },
    ]).named,
  ).toEqual([{ account: '1', text: 'ab' }]);
});
