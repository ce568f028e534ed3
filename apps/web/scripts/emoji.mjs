// The emoji that the app offers: `virtual:emoji` what they are, `virtual:emoji-<language>` what they are called. From
// emojibase; it has no Arabic, so those names are Unicode's own (emoji/ar.json, of CLDR 48.2).
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const MODULE = 'virtual:emoji';
const ARABIC = path.resolve(import.meta.dirname, '../emoji/ar.json');
const require = createRequire(import.meta.url);

/**
 * @typedef {{ emoji: string, hexcode: string, label: string, tags?: string[], group?: number, subgroup?: number,
 *   version: number, skins?: { emoji: string, tone: number | number[] }[] }} Emoji
 * @typedef {{ groups: { key: string, order: number }[], subgroups: { key: string, order: number }[] }} Messages
 */

/** Without letters, skin tones and other parts, which no one sends alone. */
const emoji = () =>
  /** @type {Emoji[]} */ (require('emojibase-data/en/data.json')).filter(({ group }) => group !== undefined);

/** What `:` completes to. @returns {Record<string, string | string[]>} */
const shortcodes = () => ({
  ...require('emojibase-data/en/shortcodes/emojibase.json'),
  ...require('emojibase-data/en/shortcodes/github.json'),
});

const all = () => {
  const codes = shortcodes();
  const { subgroups } = /** @type {Messages} */ (require('emojibase-data/en/messages.json'));
  const flags = subgroups.find(({ key }) => key === 'country-flag')?.order;
  return emoji().map(({ emoji: character, hexcode, group, subgroup, version, skins = [] }) => [
    character,
    group,
    version,
    [codes[hexcode] ?? []].flat().join(' '),
    skins
      .filter(({ tone }) => typeof tone === 'number')
      .map((skin) => skin.emoji)
      .join(' '),
    subgroup === flags ? 1 : 0,
  ]);
};

/** In the order of the others: the name first, then other words for it. @param {string} language */
const names = (language) => {
  if (language === 'ar') {
    const arabic = JSON.parse(readFileSync(ARABIC, 'utf8'));
    return emoji().map(({ hexcode }) => arabic[hexcode]);
  }
  const data = /** @type {Emoji[]} */ (require(`emojibase-data/${language}/data.json`));
  const known = new Map(data.map(({ hexcode, label, tags = [] }) => [hexcode, [label, ...tags]]));
  return emoji().map(({ hexcode, label }) => known.get(hexcode) ?? [label]);
};

/** Serves both. */
export const emojiData = () => ({
  name: 'emoji-data',
  /** @param {string} id */
  resolveId: (id) => (id === MODULE || id.startsWith(`${MODULE}-`) ? `\0${id}` : undefined),
  /** @param {string} id */
  load(id) {
    if (!id.startsWith(`\0${MODULE}`)) return undefined;
    const language = id.slice(MODULE.length + 2);
    const data = language === '' ? all() : names(language);
    return `export default JSON.parse(${JSON.stringify(JSON.stringify(data))});`;
  },
});
