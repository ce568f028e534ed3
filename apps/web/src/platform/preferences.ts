import { createBox } from '@sotto/engine/box';
import { isTouch } from './attention.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export const TEXT_SIZES = ['normal', 'large', 'larger'] as const;

/** How this browser shows the app; nobody else hears of it. */
export interface Preferences {
  theme: (typeof THEMES)[number];
  textSize: (typeof TEXT_SIZES)[number];
  /** Messages that come while nobody looks are shown by the system. */
  notifications: boolean;
  /** With what they say. */
  previews: boolean;
  /** Also those that name one in a group that is muted. */
  mentions: boolean;
  /** Absent: with a mouse Enter sends, on touch it begins a new line. */
  enter?: 'sends' | 'line';
  /** Absent: what the browser asks for. */
  language?: string;
}

const KEY = 'sotto-preferences';
const DEFAULTS: Preferences = {
  theme: 'system',
  textSize: 'normal',
  notifications: false,
  previews: true,
  mentions: true,
};

/** What was stored, whatever somebody or an older version put there. */
export const parsePreferences = (stored: string | null): Preferences => {
  try {
    const { theme, textSize, notifications, previews, mentions, enter, enterSends, language } = JSON.parse(
      stored ?? '{}',
    ) as Record<string, unknown>;
    return {
      theme: THEMES.find((known) => known === theme) ?? DEFAULTS.theme,
      textSize: TEXT_SIZES.find((known) => known === textSize) ?? DEFAULTS.textSize,
      notifications: notifications === true,
      previews: previews !== false,
      mentions: mentions !== false,
      ...((enter === 'sends' || enter === 'line') && { enter }),
      // As it was written once.
      ...(enterSends === false && { enter: 'line' }),
      ...(typeof language === 'string' && { language }),
    };
  } catch {
    return DEFAULTS;
  }
};

const read = (): Preferences => {
  try {
    return parsePreferences(localStorage.getItem(KEY));
  } catch {
    return DEFAULTS;
  }
};

const box = createBox<Preferences>(read());
/** The browser's bar above an installed app has the color of the pane below it. */
const BARS = { light: '#f4f6f6', dark: '#171b1d' };

export const preferences = { getSnapshot: box.getSnapshot, subscribe: box.subscribe };

export const setPreferences = (next: Preferences): void => {
  box.set(next);
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Full or forbidden: it holds until the page is closed.
  }
};

export const doesEnterSend = ({ enter }: Preferences): boolean =>
  enter === undefined ? !isTouch() : enter === 'sends';

/** Makes the page look as chosen, now and whenever it changes here or in another tab. */
export const applyPreferences = (): void => {
  const apply = (): void => {
    const { theme, textSize } = box.getSnapshot();
    const { dataset } = document.documentElement;
    dataset['theme'] = theme;
    dataset['text'] = textSize;
    for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
      const own = meta.media.includes('dark') ? 'dark' : 'light';
      meta.content = BARS[theme === 'system' ? own : theme];
    }
  };
  box.subscribe(apply);
  apply();
  window.addEventListener('storage', ({ key }) => {
    if (key === KEY) box.set(read());
  });
};

/** What the browser asks for, the most wanted first. */
export const browserLanguages = (): readonly string[] => navigator.languages;
