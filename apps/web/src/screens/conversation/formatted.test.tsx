import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import { Formatted } from './formatted.tsx';

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
