import type { ConversationSummary } from '@sotto/engine/views';
import { expect, test } from 'vitest';
import { arrangeChats, findByName, isRequest, unreadToTell } from './sections.ts';

const chat = (id: string, rest: Partial<ConversationSummary> = {}): ConversationSummary => ({
  id: id as ConversationSummary['id'],
  peer: { account: id, handle: id, name: id, verified: false } as ConversationSummary['peer'],
  unread: 0,
  mentioned: 0,
  typing: [],
  online: false,
  ...rest,
});

const shape = (conversations: ConversationSummary[], open = false): string =>
  arrangeChats(conversations, open)
    .map((entry) =>
      entry.kind === 'chat' ? entry.conversation.id : `${entry.kind}:${entry.count}:${entry.unread}`,
    )
    .join(' ');

test('requests, then what is pinned, the newest pin first, then the rest as it comes, then the archive', () => {
  const all = [
    chat('new'),
    chat('archived', { archived: true, unread: 3 }),
    chat('pin-1', { pinned: 1 }),
    chat('stranger', { request: true, unread: 2 }),
    chat('old'),
    chat('pin-2', { pinned: 2 }),
  ];
  expect(shape(all)).toBe('requests:1:2 pin-2 pin-1 new old archive:1:3');
  expect(shape(all, true)).toBe('requests:1:2 pin-2 pin-1 new old archive:1:3 archived');
  expect(shape([])).toBe('');
});

test('a stranger who was blocked stands nowhere, somebody known stays', () => {
  const blockedStranger = chat('a', { request: true, blocked: true });
  expect(isRequest(blockedStranger)).toBe(false);
  expect(shape([blockedStranger, chat('b', { blocked: true })])).toBe('b');
});

test('the title counts what may call for attention', () => {
  const all = [
    chat('a', { unread: 1 }),
    chat('until-later', { unread: 10, muted: 2000 }),
    chat('was-muted', { unread: 100, muted: 999 }),
    chat('request', { unread: 1000, request: true }),
    chat('archived', { unread: 10_000, archived: true }),
    chat('blocked', { unread: 100_000, blocked: true }),
  ];
  expect(unreadToTell(all, { now: 1000, mentions: true })).toBe(101);
});

test('in a muted group those count that name one, if that is wanted', () => {
  const group = { title: 'Trip', members: 3, policy: {} } as unknown as NonNullable<
    ConversationSummary['group']
  >;
  const muted = { unread: 5, mentioned: 2, muted: 2000 };
  const count = (conversation: ConversationSummary, mentions = true): number =>
    unreadToTell([conversation], { now: 1000, mentions });
  expect(count(chat('a', { ...muted, group }))).toBe(2);
  expect(count(chat('a', { ...muted, group }), false)).toBe(0);
  expect(count(chat('a', { ...muted, group, muted: 999 }))).toBe(5);
  expect(count(chat('a', muted))).toBe(0);
  expect(count(chat('a', { ...muted, group, archived: true }))).toBe(0);
  expect(count(chat('a', { ...muted, group, request: true }))).toBe(0);
});

test('names are found whatever their case and accents, handles too', () => {
  const person = (name: string, handle: string): ConversationSummary =>
    chat(handle, { peer: { account: handle, handle, name, verified: false } as ConversationSummary['peer'] });
  const all = [person('José Müller', 'jose'), person('Ada', 'ada_l'), person('ليلى', 'layla')];
  const found = (query: string): string[] => findByName(all, query).map(({ id }) => id);
  expect(found('MULL jos')).toEqual(['jose']);
  expect(found('@ada')).toEqual(['ada_l']);
  expect(found('ليل')).toEqual(['layla']);
  expect(found('mull ada')).toEqual([]);
  expect(found('  ')).toEqual([]);
});
