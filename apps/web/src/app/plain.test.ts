import { expect, test } from 'vitest';
import { plain } from './plain.ts';

test.each([
  ['**a** *b* _c_ ~~d~~ `e`', 'a b c d e'],
  ['***a** b*', 'a b'],
  ['> a\n> b\n\nc', 'a\nb\nc'],
  ['- a\n- **b**\n\n3. c\n4. d', '• a\n• b\n3. c\n4. d'],
  ['```\n**as it is**\n```', '**as it is**'],
  ['2 * 3 * 4, snake_case_name, **half', '2 * 3 * 4, snake_case_name, **half'],
  ['# no [link](x) <b>', '# no [link](x) <b>'],
  ['**\ufdd1bo\ufdd2ld**', '\ufdd1bo\ufdd2ld'],
  ['>', '>'],
  ['```\n```', '```\n```'],
  ['~~~ see you at five', '~~~ see you at five'],
])('%j says %j', (text, says) => {
  expect(plain(text)).toBe(says);
});
