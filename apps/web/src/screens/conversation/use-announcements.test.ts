import type { AccountId } from '@sotto/contract/ids';
import type { ChatMessage } from '@sotto/engine/views';
import { expect, test } from 'vitest';
import { arrivals } from './use-announcements.ts';

const message = (id: string, more: Partial<ChatMessage> = {}): ChatMessage => ({
  id,
  from: 'them' as AccountId,
  mine: false,
  text: id,
  time: 0,
  status: 'read',
  ...more,
});
const end = (...messages: ChatMessage[]) => ({ messages, hasNewer: false });
const ids = (...stretches: Parameters<typeof arrivals>): string[] =>
  arrivals(...stretches).map(({ id }) => id);

test('all that comes at once is told, the first of a conversation too', () => {
  const one = message('one');
  expect(ids(end(one), end(one, message('two'), message('three')))).toEqual(['two', 'three']);
  expect(ids(end(), end(one))).toEqual(['one']);
  // The one that was the newest has gone meanwhile.
  expect(ids(end(one, message('two')), end(one, message('three')))).toEqual(['three']);
});

test('what one writes, what is deleted and what is older is not told', () => {
  const one = message('one');
  expect(
    ids(end(one), end(one, message('two', { mine: true }), message('three', { deleted: true }))),
  ).toEqual([]);
  expect(ids(end(one), end(message('zero'), one))).toEqual([]);
});

test('pages that are loaded, and another place in the conversation, are no news', () => {
  const one = message('one');
  const two = message('two');
  expect(ids({ messages: [one], hasNewer: true }, end(one, two))).toEqual([]);
  expect(ids(end(one), { messages: [one, two], hasNewer: true })).toEqual([]);
  expect(ids(end(one), end(two))).toEqual([]);
});
