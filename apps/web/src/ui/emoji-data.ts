import { language } from '../i18n/i18n.ts';
import type { Language } from '../i18n/i18n.ts';

export interface Emoji {
  emoji: string;
  /** Unicode's number of its group. */
  group: number;
  version: number;
  /** What it is called between colons, in English everywhere. */
  codes: string[];
  /** From light to dark; none for what has no skin. */
  skins: string[];
  /** What it is called, and other words for it, in the language in use. */
  label: string;
  words: string[];
}

const NAMES: Record<Language, () => Promise<{ default: string[][] }>> = {
  en: () => import('virtual:emoji-en'),
  de: () => import('virtual:emoji-de'),
  es: () => import('virtual:emoji-es'),
  ar: () => import('virtual:emoji-ar'),
};

/** Whether this machine has a picture of it, and only one where it is made of several. */
const createEye = (): ((emoji: string) => boolean) => {
  const canvas = document.createElement('canvas');
  canvas.width = 24;
  canvas.height = 24;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) return () => true;
  context.font = '16px "Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", sans-serif';
  context.textBaseline = 'top';
  const one = context.measureText('😀').width;
  const draw = (emoji: string, color: string): string => {
    context.clearRect(0, 0, 24, 24);
    context.fillStyle = color;
    context.fillText(emoji, 2, 2);
    return context.getImageData(0, 0, 24, 24).data.join();
  };
  // A picture has its own colors.
  return (emoji) =>
    context.measureText(emoji).width < one * 1.5 && draw(emoji, '#000') === draw(emoji, '#f00');
};

/** The newest version that this machine draws; all of them where it draws none in color. */
const limitOf = (all: readonly { emoji: string; version: number }[], sees: (emoji: string) => boolean) => {
  const samples = new Map(all.map(({ emoji, version }) => [version, emoji]));
  const known = [...samples].filter(([, emoji]) => sees(emoji)).map(([version]) => version);
  return known.length === 0 ? Infinity : Math.max(...known);
};

const load = async (spoken: Language): Promise<readonly Emoji[]> => {
  const [{ default: all }, { default: names }] = await Promise.all([
    import('virtual:emoji'),
    NAMES[spoken](),
  ]);
  const sees = createEye();
  const flags = sees('🇪🇺');
  const made = all.map(([emoji, group, version, codes, skins, flag], index) => {
    const [label = emoji, ...words] = names[index] ?? [];
    return {
      emoji,
      group,
      version,
      codes: codes.split(' '),
      skins: skins === '' ? [] : skins.split(' '),
      label,
      words,
      flag: flag === 1,
    };
  });
  const limit = limitOf(made, sees);
  return made.filter(({ version, flag }) => version <= limit && (flags || !flag));
};

let known: { spoken: Language; list: Promise<readonly Emoji[]> } | undefined;

/** All that this machine can show, with their names in the language in use. Rejects when they cannot be loaded. */
export const loadEmoji = (): Promise<readonly Emoji[]> => {
  const spoken = language.getSnapshot().language;
  if (known?.spoken !== spoken) {
    const list = load(spoken);
    known = { spoken, list };
    list.catch(() => {
      known = undefined;
    });
  }
  return known.list;
};
