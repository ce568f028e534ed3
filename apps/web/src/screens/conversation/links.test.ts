import { expect, test } from 'vitest';
import { findLinks } from './links.ts';

const hrefs = (text: string): (string | undefined)[] => findLinks(text).flatMap(({ href }) => href ?? []);

test('finds links among words, without the punctuation around them', () => {
  expect(findLinks('See https://sotto.test/a?b=c#d, or not.')).toEqual([
    { text: 'See ' },
    { text: 'https://sotto.test/a?b=c#d', href: 'https://sotto.test/a?b=c#d' },
    { text: ', or not.' },
  ]);
  expect(hrefs('(http://sotto.test/x_(y))')).toEqual(['http://sotto.test/x_(y)']);
  expect(hrefs('https://a.test https://b.test!')).toEqual(['https://a.test/', 'https://b.test/']);
});

test.each([
  'javascript:alert(1)',
  'data:text/html,x',
  'ftp://sotto.test',
  'https://',
  'https://bank.test@evil.test/',
  'https://user:word@evil.test/',
  'xhttps://sotto.test',
])('%s is no link', (text) => {
  expect(findLinks(text)).toEqual([{ text }]);
});

test('a site in other letters shows as it is asked for', () => {
  // The first letter is Cyrillic.
  expect(findLinks('https://аpple.test/ä')).toEqual([
    { text: 'https://xn--pple-43d.test/ä', href: 'https://xn--pple-43d.test/%C3%A4' },
  ]);
});

test('a change of direction ends a link', () => {
  expect(findLinks('https://sotto.test/\u202egpj.exe')[0]).toEqual({
    text: 'https://sotto.test/',
    href: 'https://sotto.test/',
  });
});

test('www. and mail addresses are links without being written out', () => {
  expect(findLinks('www.sotto.test/a, (ann.b+c@mail.sotto.test).')).toEqual([
    { text: 'www.sotto.test/a', href: 'https://www.sotto.test/a' },
    { text: ', (' },
    { text: 'ann.b+c@mail.sotto.test', href: 'mailto:ann.b+c@mail.sotto.test' },
    { text: ').' },
  ]);
  // The first letter after the dot is Cyrillic.
  expect(findLinks('www.аpple.test')).toEqual([
    { text: 'www.xn--pple-43d.test', href: 'https://www.xn--pple-43d.test/' },
  ]);
});

test.each([
  'sotto.test',
  'www.',
  'www',
  'awww.sotto.test',
  'www.bank.test@evil.test/x',
  'ann@sotto',
  '@ann',
  'ann@sotto.test@evil.test',
  'ann@аpple.test',
])('%s stays as it is', (text) => {
  expect(findLinks(text)).toEqual([{ text }]);
});
