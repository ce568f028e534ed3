/** No keyboard is lower than this; a browser's bars are. */
const KEYBOARD_PX = 120;

/**
 * Where a keyboard covers the page rather than make it smaller (iOS), the app ends above it: so the head of a conversation
 * stays in sight and the newest message stays above the field.
 */
export const fitAboveKeyboard = (): void => {
  const { visualViewport } = window;
  if (!visualViewport) return;
  const { style } = document.documentElement;
  const fit = (): void => {
    const { height, scale } = visualViewport;
    // A page that fingers have made larger is left as it is.
    const isCovered = Math.abs(scale - 1) < 0.01 && innerHeight - height > KEYBOARD_PX;
    if (!isCovered) {
      style.removeProperty('--visible-height');
      return;
    }
    style.setProperty('--visible-height', `${height}px`);
    // The browser has moved the page up to show the field, which is in sight now.
    scrollTo(0, 0);
  };
  visualViewport.addEventListener('resize', fit);
  visualViewport.addEventListener('scroll', fit);
};
