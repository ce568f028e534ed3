import { Suspense } from 'react';
import type { ReactNode } from 'react';
import { Coming } from './coming.tsx';
import { later } from './later.ts';

export interface MenuEntry {
  label: string;
  /** A moment after `onClose`. */
  onChoose(): void;
  /** Something that cannot be taken back easily. */
  grave?: boolean;
  /** Drawn instead of the label, in a row with the others that have one. */
  symbol?: ReactNode;
  chosen?: boolean;
}

/** Beside an element, or where the pointer was: pixels from the top left of the window. */
export type MenuPlace = Element | { x: number; y: number };

export interface MenuProps {
  label: string;
  place: MenuPlace;
  entries: readonly MenuEntry[];
  onClose(): void;
}

const Popup = later(() => import('./menu-popup.tsx'), 'MenuPopup');

/** A menu that is open as long as it is rendered. Its code is loaded when the first one opens. */
export const Menu = (props: MenuProps) => (
  <Suspense fallback={<Coming />}>
    <Popup {...props} />
  </Suspense>
);
