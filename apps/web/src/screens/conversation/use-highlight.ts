import { useEffect } from 'react';
import type { RefObject } from 'react';

const escaped = (word: string): string => word.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

const rangesOf = (row: Element, pattern: RegExp): Range[] => {
  const ranges: Range[] = [];
  for (const text of row.querySelectorAll('.message-text')) {
    const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode())
      for (const { 0: word, index } of (node.nodeValue ?? '').matchAll(pattern)) {
        const range = new Range();
        range.setStart(node, index);
        range.setEnd(node, index + word.length);
        ranges.push(range);
      }
  }
  return ranges;
};

/** Marks the words of `query` in the messages in sight; where a browser cannot, the message that was found is enough. */
export const useHighlight = (list: RefObject<Element | null>, query: string): void => {
  // Each time: rows come and go as somebody scrolls.
  useEffect(() => {
    if (!('highlights' in CSS)) return undefined;
    const words = query.split(/\s+/u).filter(Boolean).map(escaped);
    if (words.length === 0 || !list.current) return undefined;
    // As the search finds them: whole words, or the beginning of one.
    const pattern = new RegExp(String.raw`(?<![\p{Letter}\p{Number}])(?:${words.join('|')})`, 'giu');
    CSS.highlights.set('found', new Highlight(...rangesOf(list.current, pattern)));
    return () => void CSS.highlights.delete('found');
  });
};
