import type { ChatMessage } from '@sotto/engine/views';
import { expect, test } from 'vitest';
import { arrange } from './arrange.ts';

const at = (hours: number, minutes: number, day = 10): number =>
  new Date(2026, 2, day, hours, minutes).getTime();

const message = (id: string, mine: boolean, time: number): ChatMessage => ({
  id,
  from: (mine ? 'me' : 'you') as ChatMessage['from'],
  mine,
  text: id,
  time,
  status: 'read',
});

const shape = (messages: ChatMessage[]): string =>
  arrange(messages)
    .map(
      ({ message: { id }, newDay, first, last }) =>
        `${newDay ? '|' : ''}${first ? '[' : ''}${id}${last ? ']' : ''}`,
    )
    .join('');

test('one person within five minutes stands together', () => {
  expect(
    shape([
      message('a', true, at(9, 0)),
      message('b', true, at(9, 4)),
      message('c', true, at(9, 10)),
      message('d', false, at(9, 10)),
    ]),
  ).toBe('|[ab][c][d]');
});

test('midnight parts days and groups', () => {
  expect(shape([message('a', true, at(23, 59)), message('b', true, at(0, 1, 11))])).toBe('|[a]|[b]');
});

test('a clock that runs ahead does not part what follows at once', () => {
  expect(shape([message('a', true, at(9, 2)), message('b', true, at(9, 0))])).toBe('|[ab]');
});

test('the line above what is new parts those that stand together', () => {
  const entries = arrange(
    [message('a', false, at(9, 0)), message('b', false, at(9, 1)), message('c', false, at(9, 2))],
    'b',
  );
  expect(entries.map(({ newHere, first, last }) => [newHere, first, last])).toEqual([
    [false, true, true],
    [true, true, false],
    [false, false, true],
  ]);
});
