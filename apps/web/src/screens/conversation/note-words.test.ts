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

test('what was changed of who may do what, where the line knows', () => {
  const policy = (before: number, now: number) => say('Ann', 'Bob', { kind: 'policy', before, policy: now });
  expect(policy(0, 4)).toBe('Ann let only admins write');
  expect(policy(6, 2)).toBe('Ann let all members write');
  expect(policy(0, 1)).toBe('Ann let all members add others');
  expect(policy(3, 1)).toBe('Ann let only admins change name and description');
  expect(policy(8, 0)).toBe('Ann no longer lets admins delete what others wrote');
  expect(policy(0, 12)).toBe('Ann changed who may do what');
  // Of a bit that this version does not know.
  expect(policy(0, 16)).toBe('Ann changed who may do what');
  expect(say('Ann', 'Ann', { kind: 'policy', policy: 4 })).toBe('You changed who may do what');
});

test('what became of the invite link', () => {
  expect(say('Ann', 'Bob', { kind: 'settings', link: 'made' })).toBe('Ann made an invite link');
  expect(say('Ann', 'Ann', { kind: 'settings', link: 'ended' })).toBe('You turned the invite link off');
  expect(say('Ann', 'Ann', { kind: 'settings' })).toBe('');
});

test('names of both directions stand each by itself', async () => {
  const note = { kind: 'removed' as const, accounts: ['ليلى', 'Bob'] };
  expect(say('Ann', 'Ann', note)).toContain('\u2068ليلى\u2069');
  await speak('ar', []);
  expect(say('Ann', 'Ann', note)).toBe('أزلتَ \u2068\u2068ليلى\u2069 و\u2068Bob\u2069\u2069');
  expect(say('Ann', 'Bob', { kind: 'removed', accounts: ['Bob'] })).toBe('أزالك \u2068Ann\u2069');
});
