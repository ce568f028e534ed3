/** Terms are cut to so many UTF-16 code units: nobody types more to find one. */
const LONGEST = 40;

/** Scripts that put no space between words. */
const UNSPACED =
  '(?=[\\p{L}\\p{N}\\p{M}])[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}]';

/** A run of such a script, a word of another, a flag, a pictograph. */
const PIECE = new RegExp(
  `(?<run>(?:${UNSPACED})+)|(?:(?!${UNSPACED})[\\p{L}\\p{N}\\p{M}])+|(?<picture>\\p{RI}{2}|\\p{ExtPict})`,
  'gu',
);

/** A character of a run with its marks; those of half-width kana are letters. */
const CLUSTER = /[^\p{M}\uff9e\uff9f][\p{M}\uff9e\uff9f]{0,4}/gu;

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const ASCII = /^[\0-\x7f]*$/;

/** Marks of the scripts that can be read without them, save for those that make another kana; and the Arabic stretch. */
const MARKS = /(?![\u3099\u309a])(?=\p{M})[\p{sc=Zinh}\p{sc=Hebr}\p{sc=Arab}]|\u0640/gu;

/** What Unicode does not take apart, and a sigma that stands at an end. */
const LETTERS: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ı: 'i',
  ł: 'l',
  þ: 'th',
  ς: 'σ',
};
const LETTER = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'gu');

/** One spelling for all that is to be found by it: without case, accents, widths and ligatures. */
export const fold = (text: string): string =>
  ASCII.test(text)
    ? text.toLowerCase()
    : text
        .normalize('NFKD')
        .replace(MARKS, '')
        .toLowerCase()
        .replace(LETTER, (letter) => LETTERS[letter]!)
        .normalize('NFC');

/** Not between the halves of a character. */
const cut = (term: string): string =>
  term.length > LONGEST ? term.slice(0, LONGEST).replace(/[\ud800-\udbff]$/, '') : term;

/** A stretch of a text, in UTF-16 code units. */
interface Stretch {
  start: number;
  length: number;
}

/** A word, most often of one term; or what was written without spaces, character by character. */
export type Piece = Stretch & ({ terms: string[] } | { clusters: (Stretch & { folded: string })[] });

const clustersOf = (run: string, from: number): (Stretch & { folded: string })[] =>
  Array.from(run.matchAll(CLUSTER), ({ 0: cluster, index }) => ({
    folded: fold(cluster),
    start: from + index,
    length: cluster.length,
  })).filter(({ folded }) => folded !== '');

/** What can be found in a text, in its order. The same for what is stored and what is looked for. */
export const piecesOf = (text: string): Piece[] => {
  const pieces: Piece[] = [];
  for (const match of text.matchAll(PIECE)) {
    const [whole] = match;
    const stretch = { start: match.index, length: whole.length };
    if (match.groups!['run'] !== undefined) {
      const clusters = clustersOf(whole, match.index);
      if (clusters.length > 0) pieces.push({ ...stretch, clusters });
      continue;
    }
    const terms = match.groups!['picture'] === undefined ? fold(whole).match(WORD) : [whole];
    if (terms) pieces.push({ ...stretch, terms: terms.map(cut) });
  }
  return pieces;
};

/** What a piece is found by: its terms, or every two neighbouring characters, and the last alone. */
export const termsOf = (piece: Piece): string[] =>
  'terms' in piece
    ? piece.terms
    : piece.clusters.map(({ folded }, at) => folded + (piece.clusters[at + 1]?.folded ?? ''));
