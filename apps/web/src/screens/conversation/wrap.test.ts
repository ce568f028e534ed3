import { expect, test } from 'vitest';
import { MARKS, wrap } from './wrap.ts';

/** `[` and `]` stand around what is selected. */
const press = (marked: string, mark: string): string => {
  const start = marked.indexOf('[');
  const end = marked.indexOf(']') - 1;
  const text = marked.replace('[', '').replace(']', '');
  const change = wrap({ text, start, end }, mark);
  const after = text.slice(0, change.start) + change.put + text.slice(change.end);
  return `${after.slice(0, change.from)}[${after.slice(change.from, change.to)}]${after.slice(change.to)}`;
};

test.each([
  ['a [b] c', MARKS.bold, 'a **[b]** c'],
  ['a[ b ]c', MARKS.bold, 'a **[b]** c'],
  ['a []', MARKS.italic, 'a _[]_'],
  ['a **[b]** c', MARKS.bold, 'a [b] c'],
  ['a [**b**] c', MARKS.bold, 'a [b] c'],
  ['_[]_', MARKS.italic, '[]'],
  ['~~[x]~~', MARKS.strike, '[x]'],
  ['**[x]**', MARKS.italic, '**_[x]_**'],
  ['[x]', MARKS.code, '`[x]`'],
  ['say [x\ny] now', MARKS.code, 'say \n```\n[x\ny]\n```\n now'],
])('%j with %j becomes %j', (before, mark, after) => {
  expect(press(before, mark)).toBe(after);
});
