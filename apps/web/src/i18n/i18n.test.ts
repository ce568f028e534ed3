import { afterEach, expect, test } from 'vitest';
import { perLocale } from './format.ts';
import { chooseLanguage, language, speak, t } from './i18n.ts';

afterEach(() => speak('en', []));

test('the first wanted language that is there, whatever the region', () => {
  expect(chooseLanguage(['fr-CA', 'de-AT', 'en'])).toBe('de');
  expect(chooseLanguage(['AR'])).toBe('ar');
  expect(chooseLanguage(['fr', 'toString'])).toBe('en');
  expect(chooseLanguage([])).toBe('en');
});

test('plurals follow the language, numbers its way to write them', async () => {
  expect(t('chats.unread', { count: 1 })).toBe('1 unread message');
  expect(t('chats.unread', { count: 1200 })).toBe('1,200 unread messages');
  await speak('de', ['de-DE']);
  expect(t('chats.unread', { count: 1200 })).toBe('1.200 ungelesene Nachrichten');
  await speak('ar', []);
  const said = [0, 1, 2, 3, 11, 100].map((count) => t('chats.unread', { count }).replace(/[\d٠-٩]+ ?/u, ''));
  expect(said).toEqual([
    'لا رسائل غير مقروءة',
    'رسالة غير مقروءة',
    'رسالتان غير مقروءتين',
    'رسائل غير مقروءة',
    'رسالة غير مقروءة',
    'رسالة غير مقروءة',
  ]);
});

test('a name of the other direction does not mix with the words around it', async () => {
  expect(t('conversation.about', { name: 'Bob' })).toBe('About Bob');
  expect(t('conversation.about', { name: 'ليلى' })).toBe('About \u2068ليلى\u2069');
  await speak('ar', []);
  expect(t('conversation.about', { name: 'Bob' })).toBe('عن \u2068Bob\u2069');
});

test('what a message is chosen by is no name', async () => {
  await speak('ar', []);
  expect(t('conversation.noteCreated', { by: 'you', name: 'Bob' })).toBe('أنشأتَ المجموعة');
  expect(t('conversation.noteCreated', { by: 'other', name: 'Bob' })).toBe('أنشأ \u2068Bob\u2069 المجموعة');
});

test('the locale is the browser’s own for the language in use, and formatters follow', async () => {
  const format = perLocale((locale) => ({ locale }));
  await speak('de', ['en-GB', 'de-CH']);
  expect(language.getSnapshot()).toEqual({ language: 'de', locale: 'de-CH', direction: 'ltr' });
  const first = format();
  expect(first.locale).toBe('de-CH');
  expect(format()).toBe(first);
  await speak('ar', ['en-GB']);
  expect(format().locale).toBe('ar');
  expect(language.getSnapshot().direction).toBe('rtl');
});
