import type { ChatMessage } from '@sotto/engine/views';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';
import { countAfter } from './arrange.ts';

/** Nearer to the end than this counts as being there. */
const END_PX = 48;
/** Older messages are asked for before the top is reached. */
const TOP_PX = 800;

interface ScrollModel {
  list: RefObject<HTMLDivElement | null>;
  atEnd: boolean;
  /** How many messages of others came in below what is shown. */
  fresh: number;
  onScroll(): void;
  toEnd(): void;
}

/**
 * Keeps a list of messages at its newest one while the person is there, and in its place while they read further up,
 * whether something comes in below or older messages are put in above.
 */
export const useScroll = (messages: readonly ChatMessage[], wantOlder: () => void): ScrollModel => {
  const list = useRef<HTMLDivElement>(null);
  const pinned = useRef(true);
  const seen = useRef<string>(undefined);
  /** The first and last message as painted last, and where the first one stood. */
  const painted = useRef<{ first?: string; top: number; last?: string }>({ top: 0 });
  const [atEnd, setAtEnd] = useState(true);
  const [fresh, setFresh] = useState(0);

  const topOf = (id: string | undefined): number | undefined =>
    id === undefined ? undefined : list.current?.querySelector<HTMLElement>(`[data-id="${id}"]`)?.offsetTop;

  const look = useCallback((): void => {
    const box = list.current;
    if (box && box.scrollTop < TOP_PX) wantOlder();
  }, [wantOlder]);

  useLayoutEffect(() => {
    const box = list.current;
    if (!box) return;
    const { first, top, last } = painted.current;
    const newest = messages.at(-1);
    if (newest?.mine === true && newest.id !== last) pinned.current = true;
    const moved = topOf(first);
    if (pinned.current) box.scrollTop = box.scrollHeight;
    else if (moved !== undefined && moved !== top) box.scrollTop += moved - top;

    if (pinned.current) seen.current = newest?.id;
    setAtEnd(pinned.current);
    setFresh(pinned.current ? 0 : countAfter(messages, seen.current));
    const now = messages[0]?.id;
    painted.current = {
      ...(now !== undefined && { first: now }),
      top: topOf(now) ?? 0,
      ...(newest && { last: newest.id }),
    };
    look();
  }, [messages, look]);

  // A keyboard that opens, a field that grows: the newest message stays above it.
  useEffect(() => {
    const box = list.current;
    if (!box) return undefined;
    const observer = new ResizeObserver(() => {
      if (pinned.current) box.scrollTop = box.scrollHeight;
    });
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  const onScroll = (): void => {
    const box = list.current;
    if (!box) return;
    pinned.current = box.scrollHeight - box.scrollTop - box.clientHeight < END_PX;
    setAtEnd(pinned.current);
    if (pinned.current) {
      seen.current = messages.at(-1)?.id;
      setFresh(0);
    }
    look();
  };

  const toEnd = (): void => {
    const box = list.current;
    box?.scrollTo({ top: box.scrollHeight, behavior: 'smooth' });
  };

  return { list, atEnd, fresh, onScroll, toEnd };
};
