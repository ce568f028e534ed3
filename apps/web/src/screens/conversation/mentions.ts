import type { Mention, Person } from '@sotto/engine/views';

/** Stands for the mention itself while a text is parsed: one character, which no text has. */
export const MENTION_MARK = '\ufdd0';

/** How somebody is named in a text: by their name, or by the handle where another has that name too. */
export const mentionName = (person: Person, people: readonly Person[]): string => {
  const alone = people.every(({ account, name }) => account === person.account || name !== person.name);
  return `@${alone ? person.name : person.handle}`;
};

const WORD = /[\p{Letter}\p{Mark}\p{Number}_]/u;

/** Whether it stands there, whatever its case; what case makes longer is another word. */
const standsAt = (text: string, at: number, name: string): boolean =>
  text.slice(at, at + name.length).toLocaleLowerCase() === name.toLocaleLowerCase() &&
  !WORD.test(text[at + name.length] ?? '');

/** Who of these people is named in a text, and where: the longest name that stands there whole. */
export const findMentions = (text: string, people: readonly Person[], most: number): Mention[] => {
  const names = people
    .flatMap((person) => [
      { account: person.account, name: mentionName(person, people) },
      { account: person.account, name: `@${person.handle}` },
    ])
    .toSorted((a, b) => b.name.length - a.name.length);
  const found: Mention[] = [];
  for (let at = text.indexOf('@'); at >= 0 && found.length < most; at = text.indexOf('@', at + 1)) {
    if (WORD.test(text[at - 1] ?? '')) continue;
    const named = names.find(({ name }) => standsAt(text, at, name));
    if (!named) continue;
    found.push({ account: named.account, start: at, length: named.name.length });
    at += named.name.length - 1;
  }
  return found;
};

/** Somebody named in a text, by the words that stand there. */
export interface Named {
  account: string;
  text: string;
}

/** A text with a mark in the place of each mention, and what stands behind those, in their order. */
export const markMentions = (
  text: string,
  mentions: readonly Mention[] = [],
): { marked: string; named: Named[] } => {
  const named: Named[] = [];
  let marked = '';
  let done = 0;
  const plain = (part: string): string => part.replaceAll(MENTION_MARK, '');
  for (const { account, start, length } of mentions.toSorted((a, b) => a.start - b.start)) {
    // Of a sender that counts wrong.
    if (start < done || start + length > text.length) continue;
    marked += plain(text.slice(done, start)) + MENTION_MARK;
    named.push({ account, text: text.slice(start, start + length) });
    done = start + length;
  }
  return { marked: marked + plain(text.slice(done)), named };
};

/** How many mentions a marked text has. */
export const countMarks = (marked: string): number => marked.split(MENTION_MARK).length - 1;

/** What a marked text says, plain. */
export const unmark = (marked: string, named: readonly Named[]): string =>
  marked.split(MENTION_MARK).reduce((text, part, index) => text + (named[index - 1]?.text ?? '') + part);
