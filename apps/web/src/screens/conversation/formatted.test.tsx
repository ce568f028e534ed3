import type { AccountId } from '@sotto/contract/ids';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test, vi } from 'vitest';
import { plain } from '../../app/plain.ts';
import { Formatted } from './formatted.tsx';
import { markMentions } from './mentions.ts';

// Who one is oneself is asked of an engine.
vi.mock('../../app/engine-context.ts', () => ({ useEnginePart: () => undefined }));

const html = (text: string): string => renderToStaticMarkup(<Formatted text={text} />);

test('bold, italic, struck and code in one line stand without a block', () => {
  expect(html('**a** *b* _c_ ~~d~~ `e`')).toBe(
    '<strong>a</strong> <em>b</em> <em>c</em> <s>d</s> <code>e</code>',
  );
});

test('quotes, lists and code blocks', () => {
  expect(html('> a\n\n- b\n- c\n\n3. d\n\n```\n**e**\n```')).toBe(
    '<div><blockquote><p>a</p></blockquote><ul><li><p>b</p></li><li><p>c</p></li></ul>' +
      '<ol start="3"><li><p>d</p></li></ol><pre dir="ltr"><code>**e**</code></pre></div>',
  );
});

test.each([
  '# no heading',
  'no\n===',
  '---',
  '&amp; &lt;',
  '<b>no</b>',
  '![no](x)',
  '[no](x)',
  '[no]: x',
  String.raw`\*no`,
  '    no code',
  'two  \nlines',
])('%j stays as it was typed', (text) => {
  const shown = html(text).replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  expect(shown.trim()).toBe(text.trim().replace('  \n', '\n'));
});

test('tags hold nothing', () => {
  expect(html('<div>\n*a*\n</div>')).toBe('&lt;div&gt;\n<em>a</em>\n&lt;/div&gt;');
});

test('links in formatted words, and none in code', () => {
  expect(html('**https://a.test** `https://b.test`')).toContain('<strong><a href="https://a.test/"');
  expect(html('**https://a.test** `https://b.test`')).toContain('<code>https://b.test</code>');
});

/** What overflows a stack, or takes long to parse: each within what a message may have. */
const HOSTILE = [
  '>'.repeat(8000),
  '- '.repeat(4000),
  '- '.repeat(17),
  '1. '.repeat(2666),
  `\ufeff${'> '.repeat(3999)}`,
  `a\n\n${'> - 1) '.repeat(1100)}`,
  `${'*'.repeat(4000)}a${'*'.repeat(3999)}`,
  '*a '.repeat(1300) + 'b* '.repeat(1300),
  '*a '.repeat(40) + 'b* '.repeat(40),
  '~~a '.repeat(1000) + 'b~~ '.repeat(1000),
  Array.from({ length: 88 }, (_, index) => `${'  '.repeat(index)}- a`).join('\n'),
];

test.each(HOSTILE)('what wears a device out is shown as it was typed, in time (%#)', (text) => {
  const start = performance.now();
  // A difference between such texts takes too long to show.
  expect(html(text).replaceAll('&gt;', '>') === text).toBe(true);
  expect(plain(text) === text).toBe(true);
  // What only a hang takes: it is some ten milliseconds.
  expect(performance.now() - start).toBeLessThan(5000);
});

test('who is named in such a text is named there', () => {
  const typed = `${'> '.repeat(20)}@Ada and @Bob`;
  const { marked, named } = markMentions(typed, [
    { account: 'a' as AccountId, start: 40, length: 4 },
    { account: 'b' as AccountId, start: 49, length: 4 },
  ]);
  const shown = renderToStaticMarkup(<Formatted text={marked} named={named} />);
  expect(shown.replaceAll(/<[^>]*>/g, '').replaceAll('&gt;', '>')).toBe(typed);
  expect(shown.match(/class="mention"/g)).toHaveLength(2);
});

test.each([
  ['a long list', '- one\n- two\n'.repeat(300), /^<div><ul>(<li><p>\w+<\/p><\/li>){600}<\/ul><\/div>$/],
  ['words in bold', '**One** word of six is bold. '.repeat(200), /^(<strong>One<\/strong> [^<]*){200}$/],
  [
    'a line across',
    `**a**\n${'-'.repeat(80)}\n${'>'.repeat(8)} b`,
    /^<div><p><strong>a<\/strong>\n-{80}<\/p><blockq/,
  ],
])('%s keeps its formatting', (_, text, shown) => {
  expect(html(text)).toMatch(shown);
});
