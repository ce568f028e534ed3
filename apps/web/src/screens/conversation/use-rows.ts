import type { ConversationView } from '@sotto/engine/views';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Entry } from './arrange.ts';

/** Nearer to the end than this counts as being there. */
const END_PX = 48;
/** More messages are asked for before an end of what is loaded is reached. */
const NEAR_PX = 800;
/** A guess at the height of a row that was not drawn yet, in px. */
const ROW_PX = 64;
const MARKED_MS = 1600;

/** After so many frames a row that has not moved is where it stays. */
const STILL_FRAMES = 6;

interface Target {
  id: string;
  align: 'start' | 'center';
  /** It is marked for a moment: somebody asked for it. */
  marks: boolean;
  /** It gets the focus when it is reached. */
  focuses: boolean;
}

export interface Ends {
  /** This stretch does not reach the newest message. */
  hasNewer: boolean;
  /** What the conversation opens at: a message that was asked for, or the first of those that are new. */
  opensAt: { id: string; asked: boolean } | undefined;
  wantOlder(): void;
  wantNewer(): void;
}

/**
 * The rows in sight of a list of messages. It stays at its newest one while the person is there, and in its place while
 * they read further up, whatever is put in or grows above or below.
 */
export const useRows = (entries: readonly Entry[], { hasNewer, opensAt, wantOlder, wantNewer }: Ends) => {
  const list = useRef<HTMLDivElement>(null);
  /** What is put in at the end of a stretch that does not reach the newest message is only more to scroll. */
  const complete = useRef(!hasNewer);
  const [atEnd, setAtEnd] = useState(false);
  /** The last message that is in sight. */
  const [lastSeen, setLastSeen] = useState<string>();
  const [target, setTarget] = useState<Target | undefined>(
    () =>
      opensAt && {
        id: opensAt.id,
        align: opensAt.asked ? 'center' : 'start',
        marks: opensAt.asked,
        focuses: false,
      },
  );
  /** On the way to a message: the ends of the list mean nothing, and what is put in moves the aim. */
  const aim = useRef<Target>(undefined);
  const [marked, setMarked] = useState<string>();
  const opened = useRef(false);
  /** The height of the list in px, as it was when what depends on it was last put right. */
  const height = useRef<number>(undefined);

  // oxlint-disable-next-line react/incompatible-library -- no compiler here that would memoise its answers
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => list.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => entries[index]!.message.id,
    anchorTo: 'end',
    followOnAppend: complete.current,
    scrollEndThreshold: END_PX,
    overscan: 6,
    // The line above the first row, and the room under the last one.
    paddingStart: 52,
    paddingEnd: 16,
    initialRect: { width: 0, height: innerHeight },
  });

  const look = useCallback((): void => {
    const box = list.current;
    if (!box || !opened.current || aim.current) return;
    // Who is at the end has not left it because the list became shorter.
    height.current ??= box.clientHeight;
    if (height.current !== box.clientHeight) return;
    const left = box.scrollHeight - box.scrollTop - box.clientHeight;
    setAtEnd(left < END_PX);
    if (box.scrollTop < NEAR_PX) wantOlder();
    if (left < NEAR_PX) wantNewer();
    const bottom = rows.getVirtualItemForOffset(box.scrollTop + box.clientHeight - 24);
    setLastSeen(bottom && entries[bottom.index]?.message.id);
  }, [rows, entries, wantOlder, wantNewer]);

  useLayoutEffect(() => {
    const newest = entries.at(-1)?.message;
    if (!opened.current && opensAt === undefined) rows.scrollToEnd();
    if (target) {
      aim.current = target;
      setTarget(undefined);
    }
    const index = entries.findIndex(({ message }) => message.id === aim.current?.id);
    if (aim.current && index >= 0) {
      rows.scrollToIndex(index, { align: aim.current.align });
      if (aim.current.marks) setMarked(aim.current.id);
      aim.current = { ...aim.current, marks: false };
    }
    if (newest) opened.current = true;
    complete.current = !hasNewer;
    look();
  }, [entries, target, hasNewer, opensAt, rows, look]);

  // Once its row has stood still for some frames, it is reached.
  useEffect(() => {
    let frame = 0;
    let still = 0;
    let before: number | undefined;
    const watch = (): void => {
      const row =
        aim.current && list.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(aim.current.id)}"]`);
      const top = row?.getBoundingClientRect().top;
      still = top === before ? still + 1 : 0;
      before = top;
      if (still >= STILL_FRAMES) {
        if (aim.current?.focuses) row?.focus({ preventScroll: true });
        aim.current = undefined;
        look();
      } else frame = requestAnimationFrame(watch);
    };
    if (aim.current) watch();
    return () => cancelAnimationFrame(frame);
  }, [entries, target, look]);

  useEffect(() => {
    if (marked === undefined) return undefined;
    const timer = setTimeout(() => setMarked(undefined), MARKED_MS);
    return () => clearTimeout(timer);
  }, [marked]);

  // A keyboard that opens, a field that grows: the newest message stays above it.
  const there = useRef(atEnd);
  there.current = atEnd;
  useEffect(() => {
    const box = list.current;
    if (!box) return undefined;
    const observer = new ResizeObserver(() => {
      height.current = box.clientHeight;
      if (there.current) rows.scrollToEnd();
      look();
    });
    observer.observe(box);
    return () => observer.disconnect();
  }, [rows, look]);

  /** Before its messages are there. */
  const leaveFor = useCallback((id: string): void => {
    aim.current = { id, align: 'center', marks: true, focuses: false };
    setAtEnd(false);
  }, []);
  const goTo = useCallback(
    (id: string, focuses: boolean): void => setTarget({ id, align: 'center', marks: true, focuses }),
    [],
  );
  /** Nowhere any more: it could not be loaded, or somebody scrolls. */
  const stay = useCallback((): void => {
    aim.current = undefined;
  }, []);
  return { list, rows, atEnd, lastSeen, marked, look, leaveFor, goTo, stay };
};

/** Pages on one side, one at a time; after a failure only when the person asks again. */
export const usePages = (view: ConversationView, side: 'older' | 'newer', has: boolean) => {
  const [state, setState] = useState<'idle' | 'loading' | 'failed'>('idle');
  const busy = useRef(false);
  const load = useCallback(() => {
    if (busy.current || !has) return;
    busy.current = true;
    setState('loading');
    (side === 'older' ? view.loadOlder() : view.loadNewer()).then(
      () => {
        busy.current = false;
        setState('idle');
      },
      () => setState('failed'),
    );
  }, [view, side, has]);
  const again = (): void => {
    busy.current = false;
    load();
  };
  return { state, load, again };
};
