import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmStrikethroughFromMarkdown } from 'mdast-util-gfm-strikethrough';
import { gfmStrikethrough } from 'micromark-extension-gfm-strikethrough';
import { Fragment, memo } from 'react';
import type { ReactNode } from 'react';
import { Linked } from './linked.tsx';

type Node = ReturnType<typeof fromMarkdown>['children'][number];

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

const parse = (text: string): Node[] =>
  fromMarkdown(text, {
    extensions: [gfmStrikethrough({ singleTilde: false }), { disable: { null: OFF } }],
    mdastExtensions: [gfmStrikethroughFromMarkdown()],
  }).children;

const drawNode = (node: Node, source: string): ReactNode => {
  const inside = 'children' in node ? drawAll(node.children, source) : undefined;
  switch (node.type) {
    case 'text':
      return <Linked text={node.value} />;
    case 'paragraph':
      return <p>{inside}</p>;
    case 'strong':
      return <strong>{inside}</strong>;
    case 'emphasis':
      return <em>{inside}</em>;
    case 'delete':
      return <s>{inside}</s>;
    case 'inlineCode':
      return <code>{node.value}</code>;
    case 'code':
      return (
        <pre dir="ltr">
          <code>{node.value}</code>
        </pre>
      );
    case 'blockquote':
      return <blockquote>{inside}</blockquote>;
    case 'list':
      return node.ordered === true ? <ol start={node.start ?? 1}>{inside}</ol> : <ul>{inside}</ul>;
    case 'listItem':
      return <li>{inside}</li>;
    case 'break':
      return '\n';
    default:
      return source.slice(node.position?.start.offset, node.position?.end.offset);
  }
};

const drawAll = (nodes: readonly Node[], source: string): ReactNode =>
  nodes.map((node) => <Fragment key={node.position?.start.offset}>{drawNode(node, source)}</Fragment>);

/** A text with its light formatting: bold, italic, struck, code, quotes, lists. */
export const Formatted = memo(({ text }: { text: string }) => {
  const nodes = parse(text);
  const [first] = nodes;
  // One paragraph stands as plain text does: the time finds room at the end of its last line.
  return first?.type === 'paragraph' && nodes.length === 1 ? (
    drawAll(first.children, text)
  ) : (
    <div>{drawAll(nodes, text)}</div>
  );
});
