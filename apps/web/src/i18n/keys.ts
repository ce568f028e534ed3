import type app from '../../locales/en/app.json';
import type chats from '../../locales/en/chats.json';
import type conversation from '../../locales/en/conversation.json';
import type groups from '../../locales/en/groups.json';
import type people from '../../locales/en/people.json';
import type settings from '../../locales/en/settings.json';
import type trust from '../../locales/en/trust.json';
import type welcome from '../../locales/en/welcome.json';
import type writing from '../../locales/en/writing.json';

interface Areas {
  app: typeof app;
  chats: typeof chats;
  conversation: typeof conversation;
  groups: typeof groups;
  people: typeof people;
  settings: typeof settings;
  trust: typeof trust;
  welcome: typeof welcome;
  writing: typeof writing;
}

/** Names a message: `<area>.<name>`, as in `locales/en/<area>.json`. */
export type Key = { [Area in keyof Areas]: `${Area}.${keyof Areas[Area] & string}` }[keyof Areas];
