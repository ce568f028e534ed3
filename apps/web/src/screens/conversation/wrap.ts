import type { TextChange } from '../../ui/replace-text.ts';

/** A text with a selection in it. */
export interface Selected {
  text: string;
  start: number;
  end: number;
}

export const MARKS = { bold: '**', italic: '_', strike: '~~', code: '`' } as const;

/** A mark that is a part of a longer one does not count: `*` in `**`. */
const opens = (text: string, at: number, mark: string): boolean =>
  at >= 0 && text.startsWith(mark, at) && text[at - 1] !== mark[0];
const closes = (text: string, at: number, mark: string): boolean =>
  text.startsWith(mark, at) && text[at + mark.length] !== mark[0];

/** Puts the mark around what is selected, or takes it away where it stands already. Spaces at the ends stay outside. */
export const wrap = ({ text, start, end }: Selected, mark: string): TextChange => {
  const selected = text.slice(start, end);
  const from = start + (selected.length - selected.trimStart().length);
  const to = Math.max(from, start + selected.trimEnd().length);
  const inner = text.slice(from, to);
  if (mark === MARKS.code && inner.includes('\n')) return fence(text, from, to);
  if (opens(text, from - mark.length, mark) && closes(text, to, mark))
    return {
      start: from - mark.length,
      end: to + mark.length,
      put: inner,
      from: from - mark.length,
      to: to - mark.length,
    };
  const size = mark.length;
  if (inner.length > 2 * size && inner.startsWith(mark) && inner.endsWith(mark))
    return { start: from, end: to, put: inner.slice(size, -size), from, to: to - 2 * size };
  return { start: from, end: to, put: mark + inner + mark, from: from + size, to: to + size };
};

/** Several lines of code stand between lines of their own. */
const fence = (text: string, from: number, to: number): TextChange => {
  const before = from > 0 && text[from - 1] !== '\n' ? '\n```\n' : '```\n';
  const after = to < text.length && text[to] !== '\n' ? '\n```\n' : '\n```';
  return {
    start: from,
    end: to,
    put: before + text.slice(from, to) + after,
    from: from + before.length,
    to: to + before.length,
  };
};
