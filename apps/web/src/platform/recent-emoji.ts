const KEY = 'sotto-emoji';
const COMMON = ['👍', '❤️', '😂', '😮', '😢', '🙏'];

const read = (): string[] => {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(stored)
      ? stored.filter((emoji) => typeof emoji === 'string' && emoji.length <= 32)
      : [];
  } catch {
    return [];
  }
};

/** Six emoji: those used last on this browser, then those that everybody uses. */
export const recentEmoji = (): string[] => [...new Set([...read(), ...COMMON])].slice(0, COMMON.length);

export const noteEmoji = (emoji: string): void => {
  try {
    localStorage.setItem(KEY, JSON.stringify([...new Set([emoji, ...read()])].slice(0, COMMON.length)));
  } catch {
    // Full or forbidden: the common ones are offered.
  }
};
