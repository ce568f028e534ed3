interface Pressed {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** The letter of a key, also where the keyboard writes another alphabet. */
export const letterOf = ({ key, code }: Pick<Pressed, 'key' | 'code'>): string =>
  /^[a-z]$/i.test(key) ? key.toLowerCase() : code.replace(/^Key/, '').toLowerCase();

/** That letter with Ctrl, or Cmd, alone. */
export const isKey = (event: Pressed, letter: string): boolean =>
  event.ctrlKey !== event.metaKey && !event.altKey && !event.shiftKey && letterOf(event) === letter;

/** Keys are an input method's own while it composes; Safari ends that before it tells of the key that did. */
export const isComposing = (event: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean =>
  event.isComposing || event.keyCode === 229;

/** A dialog, a menu or a picker is open: keys are meant for that. */
export const isOverlaid = (): boolean => document.querySelector('dialog[open], .menu-portal') !== null;
