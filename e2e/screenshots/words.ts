import { readMessages } from '../../apps/web/scripts/catalogues.mjs';

/** What the app says in one language, for who has to find it on the screen. */
export type Words = (key: string, values?: Readonly<Record<string, string>>) => string;

/** Of messages without plurals. */
export const wordsOf = (language: string): Words => {
  const messages = readMessages(language);
  return (key, values = {}) => {
    const text = messages[key];
    if (text === undefined) throw new Error(`There is no ${key} in ${language}.`);
    return Object.entries(values).reduce((said, [name, value]) => said.replaceAll(`{${name}}`, value), text);
  };
};
