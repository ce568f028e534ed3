import type { Person } from '@sotto/engine/views';
import { LIMITS } from '@sotto/contract/limits';
import { useLayoutEffect, useRef } from 'react';
import type { RefObject } from 'react';
import { findMentions } from './mentions.ts';

interface MentionMarksProps {
  field: RefObject<HTMLTextAreaElement | null>;
  text: string;
  /** Who may be named. */
  people: readonly Person[];
}

/** Behind the field, the same text unseen, with a ground under whoever is named in it. */
export const MentionMarks = ({ field, text, people }: MentionMarksProps) => {
  const back = useRef<HTMLDivElement>(null);
  const mentions = findMentions(text, people, LIMITS.mentions);

  useLayoutEffect(() => {
    const { current: over } = field;
    const { current: under } = back;
    if (!over || !under) return undefined;
    const follow = (): void => {
      // As wide as what is beside the scroll bar, and the borders: so that lines break at the same places.
      under.style.inlineSize = `${over.clientWidth + 2}px`;
      under.style.direction = getComputedStyle(over).direction;
      under.scrollTop = over.scrollTop;
    };
    follow();
    over.addEventListener('scroll', follow);
    const observer = new ResizeObserver(follow);
    observer.observe(over);
    return () => {
      over.removeEventListener('scroll', follow);
      observer.disconnect();
    };
  });

  const last = mentions.at(-1);
  if (!last) return null;
  return (
    <div ref={back} className="composer-marks" aria-hidden="true">
      {mentions.map(({ start, length }, index) => {
        const before = mentions[index - 1];
        const from = before ? before.start + before.length : 0;
        return (
          <span key={start}>
            {text.slice(from, start)}
            <mark>{text.slice(start, start + length)}</mark>
          </span>
        );
      })}
      {text.slice(last.start + last.length)}
    </div>
  );
};
