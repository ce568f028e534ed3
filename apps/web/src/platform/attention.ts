/** True when somebody can be assumed to look at this page. */
export const isAttended = (): boolean => document.visibilityState === 'visible' && document.hasFocus();

/** Calls back whenever that may have changed. */
export const onAttention = (listener: () => void): (() => void) => {
  document.addEventListener('visibilitychange', listener);
  window.addEventListener('focus', listener);
  window.addEventListener('blur', listener);
  return () => {
    document.removeEventListener('visibilitychange', listener);
    window.removeEventListener('focus', listener);
    window.removeEventListener('blur', listener);
  };
};

/** False when the browser knows that there is no network; true proves nothing. */
export const hasNetwork = (): boolean => navigator.onLine;

/** Calls back whenever the browser thinks that the network came or went. */
export const onNetwork = (listener: () => void): (() => void) => {
  window.addEventListener('online', listener);
  window.addEventListener('offline', listener);
  return () => {
    window.removeEventListener('online', listener);
    window.removeEventListener('offline', listener);
  };
};

/** Fingers rather than a mouse: Enter makes a new line there, and focus calls up a keyboard. */
export const isTouch = (): boolean => matchMedia('(hover: none) and (pointer: coarse)').matches;
