// What the app says, by language: locales/<language>/<area>.json, in ICU MessageFormat. Compiled here, so that a page has
// no parser.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { compileMessage } from '@lingui/message-utils/compileMessage';

const LOCALES = path.resolve(import.meta.dirname, '../locales');
const MODULE = 'virtual:catalogue/';

/** The first is the one that all others are translated from. */
export const LANGUAGES = ['en', 'de', 'es', 'ar'];

/** @param {string} language */
const filesOf = (language) =>
  readdirSync(path.join(LOCALES, language))
    .filter((name) => name.endsWith('.json'))
    .map((name) => path.join(LOCALES, language, name));

/**
 * Messages as they are written, by `<area>.<name>`.
 * @param {string} language
 * @returns {Record<string, string>}
 */
export const readMessages = (language) => {
  /** @type {Record<string, string>} */
  const messages = {};
  for (const file of filesOf(language))
    for (const [name, text] of Object.entries(JSON.parse(readFileSync(file, 'utf8'))))
      messages[`${path.basename(file, '.json')}.${name}`] = text;
  return messages;
};

/** Areas of English that come with their screens: `virtual:catalogue/en/<area>`. Other languages are loaded as a whole. */
export const LATER = ['groups', 'settings', 'trust', 'welcome', 'writing'];

/** Serves `virtual:catalogue/<language>`: the compiled messages. */
export const catalogues = () => ({
  name: 'catalogues',
  /** @param {string} id */
  resolveId: (id) => (id.startsWith(MODULE) ? `\0${id}` : undefined),
  /**
   * @this {{ addWatchFile(file: string): void }}
   * @param {string} id
   */
  load(id) {
    if (!id.startsWith(`\0${MODULE}`)) return undefined;
    const [language = '', wanted] = id.slice(MODULE.length + 1).split('/');
    for (const file of filesOf(language)) this.addWatchFile(file);
    const isHere = (/** @type {string} */ key) => {
      const [area = ''] = key.split('.');
      return wanted === undefined ? language !== LANGUAGES[0] || !LATER.includes(area) : area === wanted;
    };
    const compiled = Object.entries(readMessages(language))
      .filter(([key]) => isHere(key))
      .map(([key, text]) => [key, compileMessage(text)]);
    return `export default JSON.parse(${JSON.stringify(JSON.stringify(Object.fromEntries(compiled)))});`;
  },
});
