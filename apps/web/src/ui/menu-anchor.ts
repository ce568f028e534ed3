import type { MenuPlace } from './menu.tsx';

/** What Base UI places a popup beside. */
export const anchorOf = (place: MenuPlace) =>
  place instanceof Element
    ? place
    : { getBoundingClientRect: () => DOMRect.fromRect({ x: place.x, y: place.y, width: 0, height: 0 }) };
