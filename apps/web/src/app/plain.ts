import { parse } from './markdown.ts';
import type { Node } from './markdown.ts';

const said = (node: Node): string => {
  switch (node.type) {
    case 'break':
      return '\n';
    case 'list':
      return node.children
        .map((item, at) => `${node.ordered === true ? `${(node.start ?? 1) + at}.` : '•'} ${said(item)}`)
        .join('\n');
    case 'blockquote':
    case 'listItem':
      return node.children.map(said).join('\n');
    default:
      if ('children' in node) return node.children.map(said).join('');
      return 'value' in node ? node.value : '';
  }
};

/** What a text says, without the marks of its formatting; one of marks alone says those. */
export const plain = (text: string): string => {
  const says = parse(text).map(said).join('\n');
  return says.trim() === '' ? text : says;
};
