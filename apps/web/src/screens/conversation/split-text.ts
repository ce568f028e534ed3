import { LIMITS } from '@sotto/contract/limits';

/** As much as a draft keeps. */
export const DRAFT_CHARACTERS = 2 * LIMITS.textCharacters;

/** Where a text is cut best, in this order: between paragraphs, lines, sentences, words. */
const BREAKS = [/\n\s*\n/gu, /\n/gu, /[.!?…。؟]\s/gu, /\s/gu];

const cutAt = (text: string, most: number): number => {
  const head = text.slice(0, most + 1);
  for (const pattern of BREAKS) {
    const last = [...head.matchAll(pattern)].at(-1);
    const end = last && last.index + last[0].trimEnd().length;
    // Far better to cut between words than to leave half a message empty.
    if (end !== undefined && end > most / 2 && end <= most) return end;
  }
  // Never through the middle of a character.
  return /[\ud800-\udbff]/.test(text[most - 1] ?? '') ? most - 1 : most;
};

/** A text in parts that are each short enough for a message. */
export const splitText = (text: string, most: number): string[] => {
  const parts: string[] = [];
  let rest = text.trim();
  while (rest.length > most) {
    const at = cutAt(rest, most);
    parts.push(rest.slice(0, at).trim());
    rest = rest.slice(at).trim();
  }
  return rest === '' ? parts : [...parts, rest];
};
