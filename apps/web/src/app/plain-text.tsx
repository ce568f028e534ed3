import { createBox } from '@sotto/engine/box';
import { useEffect, useMemo } from 'react';
import { useView } from './use-view.ts';

/** Anything that may be formatting; whatever else is shown as it stands, without a parser. */
export const MARKS = /[*_`]|~~|^ {0,3}(?:>|[-+] |\d{1,9}[.)] )/m;

// The parser weighs 17 kB, an eighth of all that may be loaded on the way to the list: what has marks stands there as it was
// typed until it is here.
const parser = createBox<{ plain(text: string): string } | undefined>(undefined);

const load = async (): Promise<void> => {
  // Where it cannot be loaded, the text stays as it was typed.
  if (!parser.getSnapshot()) parser.set(await import('./plain.ts').catch(() => undefined));
};

/** What a text says, without the marks of its formatting. */
export const plainText = async (text: string): Promise<string> => {
  if (!MARKS.test(text)) return text;
  await load();
  return parser.getSnapshot()?.plain(text) ?? text;
};

/** More than one line has room for, and than a snippet with its marks has. */
const LINE_CHARACTERS = 600;

/** The beginning of it, never through the middle of a character: a list parses many. */
const cut = (text: string): string =>
  text.length <= LINE_CHARACTERS
    ? text
    : `${text.slice(0, LINE_CHARACTERS).replace(/[\ud800-\udbff]$/, '')}…`;

/** The same while drawing, for a line. */
export const usePlainText = (text: string): string => {
  const parsed = useView(parser);
  const isMarked = MARKS.test(text);
  useEffect(() => {
    if (isMarked) void load();
  }, [isMarked]);
  return useMemo(() => (isMarked && parsed ? parsed.plain(cut(text)) : text), [isMarked, parsed, text]);
};

/** A text in one line of a list, a quote and the like. */
export const Plain = ({ text }: { text: string }) => usePlainText(text);
