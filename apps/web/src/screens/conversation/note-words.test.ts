import type { Person } from '@sotto/engine/views';
import { afterEach, expect, test } from 'vitest';
import { speak } from '../../i18n/i18n.ts';
import { noteWords } from './note-words.ts';

afterEach(() => speak('en', []));

const named = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, { account: name, handle: name, name } as unknown as Person]));

const people = named('Ann', 'Bob', 'ليلى');
const say = (from: string, me: string, note: Parameters<typeof noteWords>[0]): string =>
  noteWords(note, { from, mine: from === me }, { people, me });

test('who did what to whom, from where one stands', () => {
  const added = { kind: 'added' as const, accounts: ['Bob'] };
  expect(say('Ann', 'Ann', added)).toBe('You added Bob');
  expect(say('Ann', 'Bob', added)).toBe('Ann added you');
  expect(say('Ann', 'Cid', added)).toBe('Ann added Bob');
  expect(say('Ann', 'Me', { kind: 'added', accounts: ['Me', 'Bob'] })).toBe('Ann added you and Bob');
  expect(say('Ann', 'Cid', { kind: 'role', accounts: ['Bob'], role: 'owner' })).toBe('Ann made Bob an owner');
  expect(say('Ann', 'Ann', { kind: 'role', accounts: ['Ann'], role: 'admin' })).toBe('You are an admin now');
  expect(say('Ann', 'Bob', { kind: 'role', accounts: ['Ann'], role: 'admin' })).toBe('Ann is an admin now');
  expect(say('Gone', 'Bob', { kind: 'left' })).toBe('Somebody left the group');
});

test('names of both directions stand each by itself', async () => {
  const note = { kind: 'removed' as const, accounts: ['ليلى', 'Bob'] };
  expect(say('Ann', 'Ann', note)).toContain('\u2068ليلى\u2069');
  await speak('ar', []);
  expect(say('Ann', 'Ann', note)).toBe('أزلتَ \u2068\u2068ليلى\u2069 و\u2068Bob\u2069\u2069');
  expect(say('Ann', 'Bob', { kind: 'removed', accounts: ['Bob'] })).toBe('أزالك \u2068Ann\u2069');
});
