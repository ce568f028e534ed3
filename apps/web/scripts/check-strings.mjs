// Finds words that do not go through the catalogue, and messages that are missing, unused, not translated or asked for
// with other values than they have. Part of `npm run verify`.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { exit } from 'node:process';
import { compileMessage } from '@lingui/message-utils/compileMessage';
import { parseSync, Visitor } from 'vite';
import { LANGUAGES, LATER, readMessages } from './catalogues.mjs';

const SOURCE = path.resolve(import.meta.dirname, '../src');
/** Nothing in them is a word. */
const SAME = new Set(['chats.number', 'conversation.announced', 'conversation.they']);
/**
 * The same word in another language, and meant to be.
 * @type {Record<string, ReadonlySet<string>>}
 */
const SAME_WORDS = {
  de: new Set(['Admin', 'App', 'Chats', 'Code', 'Emoji', 'Normal', 'Online', 'online', 'Relay', 'Version']),
  es: new Set(['Chats', 'Normal']),
};
/** Attributes that hold words. */
const SPOKEN = new Set([
  'alt',
  'aria-label',
  'aria-description',
  'hint',
  'label',
  'placeholder',
  'title',
  'action',
]);
/** Names of its own, the same everywhere. */
const NAMES = new Set(['Sotto']);

/** @type {string[]} */
const problems = [];

/**
 * The names that a message takes, each with its kind, and the cases of its plurals.
 * @param {import('@lingui/message-utils/compileMessage').CompiledMessage} tokens
 * @param {{ values: Set<string>, cases: string[][] }} found
 */
const look = (tokens, found = { values: new Set(), cases: [] }) => {
  if (!Array.isArray(tokens)) return found;
  for (const token of tokens) {
    if (!Array.isArray(token)) continue;
    const [name, kind = '', format] = token;
    found.values.add(`${name} ${kind}`.trim());
    if (typeof format !== 'object') continue;
    if (kind === 'plural') found.cases.push(Object.keys(format).filter((key) => key !== 'offset'));
    for (const inner of Object.values(format)) look(inner, found);
  }
  return found;
};

const [first, ...others] = LANGUAGES.map((language) => {
  const messages = Object.entries(readMessages(language)).map(([key, text]) => {
    if (typeof text !== 'string' || text.trim() === '') problems.push(`${language} ${key}: says nothing`);
    if (text.includes("'")) problems.push(`${language} ${key}: ' escapes in ICU messages, write ’`);
    return /** @type {const} */ ([key, { text, ...look(compileMessage(text)) }]);
  });
  return { language, messages: new Map(messages) };
});
if (!first) throw new Error('no language');

for (const { language, messages } of [first, ...others]) {
  const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted().join();
  for (const [key, { text, values, cases }] of messages) {
    const english = first.messages.get(key);
    if (!english) problems.push(`${language} ${key}: not in ${first.language}`);
    else if ([...values].toSorted().join() !== [...english.values].toSorted().join())
      problems.push(`${language} ${key}: takes other values than in ${first.language}`);
    for (const names of cases)
      if (names.toSorted().join() !== wanted)
        problems.push(`${language} ${key}: its plurals are not ${wanted}`);
    const isSame = language !== first.language && text === english?.text && /\p{Letter}{2}/u.test(text);
    if (isSame && !SAME.has(key) && !SAME_WORDS[language]?.has(text))
      problems.push(`${language} ${key}: not translated`);
  }
  for (const key of first.messages.keys())
    if (!messages.has(key)) problems.push(`${language} ${key}: missing`);
}

/** @type {Set<string>} */
const used = new Set();
const hasWords = (/** @type {string} */ text) => /\p{Letter}/u.test(text) && !NAMES.has(text.trim());
/** Several words that begin as a sentence does, or one that ends as it does. */
const isSentence = (/** @type {string} */ text) =>
  /^\p{Lu}\p{Ll}*(?: \p{Letter}+)+/u.test(text) || /^\p{Lu}?\p{Ll}+.*\s.*[.?!…]$/u.test(text);

/** @typedef {{ imports: string[], awaited: string[], areas: Set<string>, asks: { key: string, at: string }[] }} Module */

/** @type {Map<string, Module>} */
const modules = new Map();

/** @param {string} file */
const checkFile = (file) => {
  /** @type {Module} */
  const module = { imports: [], awaited: [], areas: new Set(), asks: [] };
  modules.set(file, module);
  const bring = (/** @type {string[]} */ to, /** @type {string} */ name) => {
    const area = /^virtual:catalogue\/en\/(\w+)$/.exec(name)?.[1];
    if (area !== undefined) module.areas.add(area);
    if (name.startsWith('.')) to.push(path.resolve(path.dirname(file), name));
  };
  const source = readFileSync(file, 'utf8');
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} cannot be parsed`);
  const lineOf = (/** @type {number} */ at) =>
    `${path.relative(SOURCE, file)}:${source.slice(0, at).split('\n').length}`;
  const complain = (/** @type {number} */ at, /** @type {string} */ what) =>
    problems.push(`${lineOf(at)} ${what}`);
  /** Texts of errors, which nobody is shown. */
  const silent = new Set();

  new Visitor({
    ImportDeclaration: ({ source: { value }, importKind }) => {
      if (importKind !== 'type') bring(module.imports, value);
    },
    ImportExpression: ({ source: from }) => {
      if (from.type === 'Literal' && typeof from.value === 'string') bring(module.awaited, from.value);
    },
    NewExpression: ({ callee, arguments: given }) => {
      if (callee.type === 'Identifier' && callee.name.endsWith('Error'))
        for (const one of given) silent.add(one);
    },
    JSXText: ({ value, start }) => {
      if (hasWords(value)) complain(start, `says “${value.trim()}” past the catalogue`);
    },
    JSXAttribute: ({ name, value }) => {
      if (name.type !== 'JSXIdentifier' || !SPOKEN.has(name.name)) return;
      if (value?.type === 'Literal' && typeof value.value === 'string' && hasWords(value.value))
        complain(value.start, `says “${value.value}” past the catalogue`);
    },
    Literal: (node) => {
      if (typeof node.value !== 'string') return;
      if (first.messages.has(node.value)) {
        used.add(node.value);
        module.asks.push({ key: node.value, at: lineOf(node.start) });
      } else if (isSentence(node.value) && !silent.has(node))
        complain(node.start, `says “${node.value}” past the catalogue`);
    },
    TemplateLiteral: (node) => {
      const text = node.quasis.map(({ value }) => value.cooked ?? '').join('x');
      if (isSentence(text) && !silent.has(node)) complain(node.start, `says “${text}” past the catalogue`);
    },
    CallExpression: ({ callee, arguments: [key, values], start }) => {
      if (callee.type !== 'Identifier' || callee.name !== 't') return;
      if (key?.type === 'TemplateLiteral')
        complain(start, 'asks for a message by a name that is put together');
      if (key?.type !== 'Literal' || typeof key.value !== 'string') return;
      if (values !== undefined && values.type !== 'ObjectExpression') return;
      const given = (values?.properties ?? []).map((property) =>
        property.type === 'Property' && property.key.type === 'Identifier' ? property.key.name : '…',
      );
      const taken = [...(first.messages.get(key.value)?.values ?? [])].map((value) => value.split(' ')[0]);
      if (!given.includes('…') && given.toSorted().join() !== [...new Set(taken)].toSorted().join())
        complain(start, `gives ${key.value} (${given.join(', ')}) and it takes (${taken.join(', ')})`);
    },
  }).visit(program);
};

for (const entry of readdirSync(SOURCE, { recursive: true, withFileTypes: true })) {
  const isSource = /\.tsx?$/.test(entry.name) && !/\.(?:test|d|stories)\.tsx?$/.test(entry.name);
  if (entry.isFile() && isSource) checkFile(path.join(entry.parentPath, entry.name));
}
/**
 * Whether the words of an area are there by the time that a module draws: it, or something that it imports, brings them, or
 * all that import it have them.
 */
const haveWords = (/** @type {string} */ area) => {
  const brings = (/** @type {string} */ file, seen = new Set()) => {
    const module = modules.get(file);
    if (!module || seen.has(file)) return false;
    seen.add(file);
    return module.areas.has(area) || module.imports.some((other) => brings(other, seen));
  };
  /** @type {Map<string, boolean>} */
  const known = new Map();
  const has = (/** @type {string} */ file) => {
    const answer = known.get(file);
    if (answer !== undefined) return answer;
    // Of modules that import each other, the others tell.
    known.set(file, true);
    const users = [...modules]
      .filter(([, { imports, awaited }]) => imports.includes(file) || awaited.includes(file))
      .map(([user]) => user);
    const found = brings(file) || (users.length > 0 && users.every(has));
    known.set(file, found);
    return found;
  };
  return has;
};
for (const area of LATER) {
  const has = haveWords(area);
  for (const [file, { asks }] of modules)
    for (const { key, at } of asks)
      if (key.startsWith(`${area}.`) && !has(file))
        problems.push(`${at} says ${key}, whose words may not be loaded there`);
}

for (const key of first.messages.keys())
  if (!used.has(key)) problems.push(`${first.language} ${key}: not used`);

for (const problem of problems) console.log(problem);
console.log(`${first.messages.size} messages in ${LANGUAGES.length} languages, ${problems.length} problems`);
exit(problems.length > 0 ? 1 : 0);
