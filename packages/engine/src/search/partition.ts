/** The index lies in so many parts: a word is looked for in one of them. */
export const PARTITIONS = 64;
const GROUP = 4;

/** What a conversation's messages are found by. No word begins like it. */
export const conversationTerm = (conversation: string): string => `\0${conversation}`;

const spread = (code: number, bits: number): number => Math.imul(code, 0x9e3779b1) >>> (32 - bits);

/** By the first two characters: the first chooses a group, the second one of its parts. */
const partOf = (first: number, second: number | undefined): number =>
  spread(first, 4) * GROUP + (second === undefined ? 0 : spread(second, 2));

const codesOf = (term: string): [number, number | undefined] => {
  const from = term.startsWith('\0') ? 1 : 0;
  const first = term.codePointAt(from) ?? 0;
  return [first, term.codePointAt(from + (first > 0xffff ? 2 : 1))];
};

export const partitionOf = (term: string): number => partOf(...codesOf(term));

/** Where terms can be that begin so. */
export const partitionsFor = ({ term, prefix }: { term: string; prefix: boolean }): number[] => {
  const [first, second] = codesOf(term);
  if (!prefix || second !== undefined) return [partOf(first, second)];
  return Array.from({ length: GROUP }, (_, part) => partOf(first, undefined) + part);
};
