const KEY = 'sotto-emoji';
const TONE_KEY = 'sotto-emoji-tone';
const COMMON = ['👍', '❤️', '😂', '😮', '😢', '🙏'];
const KEPT = 24;

/** Full or forbidden: it holds nothing. */
const stored = (key: string): unknown => {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
};

const store = (key: string, value: unknown): void => {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // The common ones are offered.
  }
};

/** Those used last on this browser, the last first. */
export const usedEmoji = (): string[] => {
  const used = stored(KEY);
  return Array.isArray(used)
    ? used.filter((emoji): emoji is string => typeof emoji === 'string' && emoji.length <= 32)
    : [];
};

/** Six emoji: those used last, then those that everybody uses. */
export const recentEmoji = (): string[] => [...new Set([...usedEmoji(), ...COMMON])].slice(0, COMMON.length);

export const noteEmoji = (emoji: string): void =>
  store(KEY, [...new Set([emoji, ...usedEmoji()])].slice(0, KEPT));

/** The tone of hands and faces that was chosen last. */
export const skinTone = (): string => {
  const tone = stored(TONE_KEY);
  return typeof tone === 'string' ? tone : 'none';
};

export const noteSkinTone = (tone: string): void => store(TONE_KEY, tone);
