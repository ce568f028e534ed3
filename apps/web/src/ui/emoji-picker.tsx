import { Suspense } from 'react';
import { Coming } from './coming.tsx';
import { later } from './later.ts';
import type { MenuPlace } from './menu.tsx';

export interface EmojiPickerProps {
  place: MenuPlace;
  /** The picker stays open: several may be chosen. */
  onChoose(emoji: string): void;
  onClose(): void;
  /** Where focus goes when it closes. */
  focusAfter(): HTMLElement | null;
}

const Popup = later(() => import('./emoji-picker-popup.tsx'), 'EmojiPickerPopup');

/** All emoji, to be searched; open as long as it is rendered. Its code and data are loaded when the first one opens. */
export const EmojiPicker = (props: EmojiPickerProps) => (
  <Suspense fallback={<Coming />}>
    <Popup {...props} />
  </Suspense>
);
