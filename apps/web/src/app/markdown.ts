import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmStrikethroughFromMarkdown } from 'mdast-util-gfm-strikethrough';
import { gfmStrikethrough } from 'micromark-extension-gfm-strikethrough';

export type Node = ReturnType<typeof fromMarkdown>['children'][number];

/** What Markdown has beyond light formatting stays as it was typed; a link shows where it goes. */
const OFF = [
  'autolink',
  'characterEscape',
  'characterReference',
  'codeIndented',
  'definition',
  'hardBreakEscape',
  'headingAtx',
  'htmlFlow',
  'htmlText',
  'labelStartImage',
  'labelStartLink',
  'setextUnderline',
  'thematicBreak',
];

/** A line that opens more blocks in one another than anybody means: each mark costs as much as all before it. */
const STACKED = /^\ufeff?[ \t]*(?:(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]))[ \t]*){17}/m;
/** Of a text with more of them, the pairs take too long to find. */
const DELIMITERS = 1000;
/** What is nested deeper overflows the stack of what draws it. */
const DEEPEST = 32;

const isCostly = (text: string): boolean =>
  STACKED.test(text) || (text.match(/[*_~]/g)?.length ?? 0) > DELIMITERS;

const isDeep = (nodes: readonly Node[]): boolean => {
  let level = nodes;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth === DEEPEST) return true;
    level = level.flatMap((node): readonly Node[] => ('children' in node ? node.children : []));
  }
  return false;
};

const asTyped = (text: string): Node[] => {
  const position = {
    start: { line: 1, column: 1, offset: 0 },
    end: { line: 1, column: text.length + 1, offset: text.length },
  };
  return [{ type: 'paragraph', children: [{ type: 'text', value: text, position }], position }];
};

/** The light formatting of a text; none where that is made to wear a device out, or is beyond the parser. */
export const parse = (text: string): Node[] => {
  if (isCostly(text)) return asTyped(text);
  try {
    const nodes = fromMarkdown(text, {
      extensions: [gfmStrikethrough({ singleTilde: false }), { disable: { null: OFF } }],
      mdastExtensions: [gfmStrikethroughFromMarkdown()],
    }).children;
    return isDeep(nodes) ? asTyped(text) : nodes;
  } catch {
    return asTyped(text);
  }
};
