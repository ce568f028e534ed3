import type { Emoji } from './emoji-data.ts';

const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase();

/** By entry: its names as they are compared, made once. */
const made = new WeakMap<Emoji, { name: string; words: string[] }>();

const comparable = (entry: Emoji): { name: string; words: string[] } => {
  const known = made.get(entry);
  if (known) return known;
  const fresh = { name: folded(entry.label), words: entry.words.map(folded) };
  made.set(entry, fresh);
  return fresh;
};

/** How well it answers the query; the lower the better, Infinity for not at all. */
const rank = (entry: Emoji, query: string): number => {
  const { codes } = entry;
  const { name, words } = comparable(entry);
  const spoken = query.replaceAll('_', ' ');
  if (codes.includes(query)) return 0;
  if (codes.some((code) => code.startsWith(query))) return 1;
  if (name.startsWith(spoken)) return 2;
  if (codes.some((code) => code.includes(`_${query}`)) || name.includes(` ${spoken}`)) return 3;
  return words.some((word) => word.startsWith(spoken)) ? 4 : Infinity;
};

const by = (a: number, b: number): number => (a === b ? 0 : a - b);

/** What somebody may mean who wrote a colon and that: the nearest first, and of those what they used last, then what lacks the fewest letters. */
export const findEmoji = (
  all: readonly Emoji[],
  query: string,
  recent: readonly string[],
  limit: number,
): Emoji[] => {
  const wanted = folded(query);
  const place = (emoji: string): number => (recent.includes(emoji) ? recent.indexOf(emoji) : recent.length);
  return all
    .map((entry) => ({
      entry,
      rank: rank(entry, wanted),
      place: place(entry.emoji),
      length: Math.min(...entry.codes.filter((code) => code.startsWith(wanted)).map((code) => code.length)),
    }))
    .filter((found) => found.rank < Infinity)
    .sort((a, b) => a.rank - b.rank || a.place - b.place || by(a.length, b.length))
    .slice(0, limit)
    .map(({ entry }) => entry);
};

/** The one with exactly that name between colons. */
export const emojiOf = (all: readonly Emoji[], code: string): string | undefined =>
  all.find(({ codes }) => codes.includes(code.toLowerCase()))?.emoji;
