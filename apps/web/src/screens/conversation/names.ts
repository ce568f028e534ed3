import type { ConversationSnapshot, Person } from '@sotto/engine/views';
import { t } from '../../i18n/i18n.ts';

/** Everybody whom the messages of a group name; absent where there are two. */
export type People = ConversationSnapshot['people'];

/** Of whom nothing is known yet, there is no name either. */
export const personName = (person: Person | undefined): string =>
  person === undefined || person.name === '' ? t('conversation.somebody') : person.name;

export const authorName = (
  { mine, from }: { mine: boolean; from: string },
  peer: Person,
  people: People,
): string => {
  if (mine) return t('conversation.yourself');
  return people ? personName(people[from]) : peer.name;
};
