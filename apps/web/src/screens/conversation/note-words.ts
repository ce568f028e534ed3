import type { GroupNote } from '@sotto/engine/rows';
import { perLocale } from '../../i18n/format.ts';
import { isolate, t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';
import { personName } from './names.ts';
import type { People } from './names.ts';

const list = perLocale((locale) => new Intl.ListFormat(locale, { type: 'conjunction' }));

const ROLES = {
  owner: 'conversation.noteOwner',
  admin: 'conversation.noteAdmin',
  member: 'conversation.noteMember',
} as const satisfies Record<string, Key>;

const LINK = {
  made: 'conversation.noteLinkMade',
  reset: 'conversation.noteLinkReset',
  changed: 'conversation.noteLinkChanged',
  ended: 'conversation.noteLinkEnded',
} as const satisfies Record<NonNullable<Extract<GroupNote, { kind: 'settings' }>['link']>, Key>;

/** What each bit of a policy allows, or not any more. */
const POLICY: Readonly<Record<number, readonly [off: Key, on: Key]>> = {
  1: ['conversation.noteAddNot', 'conversation.noteAdd'],
  2: ['conversation.noteEditNot', 'conversation.noteEdit'],
  4: ['conversation.notePostAll', 'conversation.notePostAdmins'],
  8: ['conversation.noteDeleteNot', 'conversation.noteDelete'],
};

const policyKey = ({ policy, before }: Extract<GroupNote, { kind: 'policy' }>): Key => {
  const bit = before === undefined ? 0 : policy ^ before;
  return POLICY[bit]?.[(policy & bit) === 0 ? 0 : 1] ?? 'conversation.notePolicy';
};

interface By {
  from: string;
  mine: boolean;
}

/** What was changed in a group, and by whom, as a line of its conversation. */
export const noteWords = (
  note: GroupNote,
  { from, mine }: By,
  { people, me }: { people: People; me: string | undefined },
): string => {
  const name = personName(people?.[from]);
  const by = mine ? 'you' : 'other';
  const accounts = 'accounts' in note ? note.accounts : [];
  const others = accounts.filter((account) => account !== me);
  const who = list().format(others.map((account) => isolate(personName(people?.[account]))));
  const toYou = others.length === 0 ? 'toYou' : 'toYouAnd';
  const how = mine ? 'byYou' : others.length < accounts.length ? toYou : 'other';
  switch (note.kind) {
    case 'created':
      return t('conversation.noteCreated', { by, name });
    case 'left':
      return t('conversation.noteLeft', { by, name });
    case 'added':
      return t('conversation.noteAdded', { how, name, who });
    case 'removed':
      return t('conversation.noteRemoved', { how, name, who });
    case 'role':
      return t(ROLES[note.role], { how: accounts[0] === from ? (mine ? 'you' : 'self') : how, name, who });
    case 'title':
      return t('conversation.noteTitle', { by, name, text: note.text });
    case 'description':
      return t(note.text === '' ? 'conversation.noteNoDescription' : 'conversation.noteDescription', {
        by,
        name,
      });
    case 'picture':
      return t('conversation.notePicture', { by, name });
    case 'policy':
      return t(policyKey(note), { by, name });
    case 'settings':
      return note.link === undefined ? '' : t(LINK[note.link], { by, name });
    case 'rekeyed':
      return '';
  }
};
