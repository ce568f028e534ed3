/** What is being typed before the caret that could be completed: from where, and what of it is there. */
export interface Typed {
  kind: 'emoji' | 'mention';
  query: string;
  start: number;
}

/** Two letters at least: a colon alone stands in many a sentence. */
const EMOJI = /(?:^|[\s(])(:([\p{Letter}\p{Number}_+-]{2,32}))$/u;
const MENTION = /(?:^|[\s(])(@([\p{Letter}\p{Number}_.' -]{0,32}))$/u;

/** What could be completed at the caret. Names have spaces, so a mention goes on over two of them. */
export const typedAt = (text: string, caret: number): Typed | undefined => {
  const before = text.slice(Math.max(0, caret - 48), caret);
  const emoji = EMOJI.exec(before);
  if (emoji) return { kind: 'emoji', query: emoji[2]!, start: caret - emoji[1]!.length };
  const mention = MENTION.exec(before);
  if (!mention || mention[2]!.split(' ').length > 3) return undefined;
  return { kind: 'mention', query: mention[2]!, start: caret - mention[1]!.length };
};

/** A whole name between colons right before the caret. */
export const namedAt = (text: string, caret: number): { code: string; start: number } | undefined => {
  const found = /(?:^|[\s(]):([a-z\d_+-]{2,40}):$/iu.exec(text.slice(Math.max(0, caret - 48), caret));
  return found ? { code: found[1]!, start: caret - found[1]!.length - 2 } : undefined;
};
