import { Fragment, memo } from 'react';
import type { ReactNode } from 'react';
import { parse } from '../../app/markdown.ts';
import type { Node } from '../../app/markdown.ts';
import { Linked } from './linked.tsx';
import { countMarks, unmark } from './mentions.ts';
import type { Named } from './mentions.ts';

interface Source {
  /** With a mark for each mention. */
  text: string;
  named: readonly Named[];
}

const drawNode = (node: Node, source: Source): ReactNode => {
  const { start, end } = node.position ?? {};
  const inside = 'children' in node ? drawAll(node.children, source) : undefined;
  /** What the marks from here on stand for. */
  const named = source.named.slice(countMarks(source.text.slice(0, start?.offset)));
  switch (node.type) {
    case 'text':
      return <Linked text={node.value} named={named} />;
    case 'paragraph':
      return <p>{inside}</p>;
    case 'strong':
      return <strong>{inside}</strong>;
    case 'emphasis':
      return <em>{inside}</em>;
    case 'delete':
      return <s>{inside}</s>;
    case 'inlineCode':
      return <code>{unmark(node.value, named)}</code>;
    case 'code':
      return (
        <pre dir="ltr">
          <code>{unmark(node.value, named)}</code>
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
      return unmark(source.text.slice(start?.offset, end?.offset), named);
  }
};

const drawAll = (nodes: readonly Node[], source: Source): ReactNode =>
  nodes.map((node) => <Fragment key={node.position?.start.offset}>{drawNode(node, source)}</Fragment>);

const NOBODY: readonly Named[] = [];

/** A text with its light formatting: bold, italic, struck, code, quotes, lists. */
export const Formatted = memo(({ text, named = NOBODY }: { text: string; named?: readonly Named[] }) => {
  const nodes = parse(text);
  const source = { text, named };
  const [first] = nodes;
  // One paragraph stands as plain text does: the time finds room at the end of its last line.
  return first?.type === 'paragraph' && nodes.length === 1 ? (
    drawAll(first.children, source)
  ) : (
    <div>{drawAll(nodes, source)}</div>
  );
});
