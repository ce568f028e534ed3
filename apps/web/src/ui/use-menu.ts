import { useRef } from 'react';
import type { KeyboardEvent, MouseEvent, PointerEvent, TouchEvent } from 'react';
import type { MenuPlace } from './menu.tsx';

const LONG_PRESS_MS = 500;
/** A finger that moves further scrolls. */
const STILL_PX = 10;

/** Where a browser's own menu has more to offer: on a link that leads out of the app, and on what is selected. */
const isBrowsers = (target: Node): boolean => {
  const selection = getSelection();
  const isSelected = selection?.isCollapsed === false && selection.containsNode(target, true);
  return isSelected || (target instanceof Element && target.closest('a.link') !== null);
};

/**
 * Handlers for an element that has a menu: by right click, by the menu key or Shift+F10, and by a long press where a
 * browser makes no `contextmenu` of it. With a mouse, on text, the browser's own comes up where that has more to offer.
 */
export const useMenuOpeners = (open: (place: MenuPlace) => void) => {
  const press = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number }>(undefined);
  const touching = useRef(false);
  /** By the finger that is still down. */
  const opened = useRef(false);
  /** What the pointer went down on last has the browser's own menu. */
  const browsers = useRef(false);

  const end = (): void => {
    clearTimeout(press.current?.timer);
    press.current = undefined;
  };
  return {
    onContextMenu: (event: MouseEvent<HTMLElement>): void => {
      if (browsers.current && event.button === 2) return;
      event.preventDefault();
      end();
      if (opened.current) return;
      opened.current = touching.current;
      // By keyboard there is no point: then beside the element.
      const byKey = event.button !== 2 && event.clientX === 0 && event.clientY === 0;
      open(byKey ? event.currentTarget : { x: event.clientX, y: event.clientY });
    },
    onKeyDown: (event: KeyboardEvent<HTMLElement>): void => {
      if (!(event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey))) return;
      event.preventDefault();
      open(event.currentTarget);
    },
    onPointerDown: (event: PointerEvent<HTMLElement>): void => {
      opened.current = false;
      touching.current = event.pointerType === 'touch';
      // Before some browsers select the word under the pointer.
      browsers.current = !touching.current && event.target instanceof Node && isBrowsers(event.target);
      if (!touching.current) return;
      const { clientX: x, clientY: y } = event;
      const timer = setTimeout(() => {
        opened.current = true;
        open({ x, y });
      }, LONG_PRESS_MS);
      press.current = { timer, x, y };
    },
    onPointerMove: ({ clientX, clientY }: PointerEvent<HTMLElement>): void => {
      if (press.current && Math.hypot(clientX - press.current.x, clientY - press.current.y) > STILL_PX) end();
    },
    onPointerUp: end,
    onPointerCancel: end,
    /** What a browser makes of a finger that is lifted, as if a mouse had been pressed, would close the menu again. */
    onTouchEnd: (event: TouchEvent<HTMLElement>): void => {
      touching.current = false;
      if (opened.current && event.cancelable) event.preventDefault();
    },
    /** The finger that opened the menu does not also click. */
    onClickCapture: (event: MouseEvent<HTMLElement>): void => {
      if (!opened.current) return;
      opened.current = false;
      event.preventDefault();
      event.stopPropagation();
    },
  };
};
