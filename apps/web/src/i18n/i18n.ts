import { setupI18n } from '@lingui/core';
import type { Messages } from '@lingui/core';
import { createBox } from '@sotto/engine/box';
import english from 'virtual:catalogue/en';
import type { Key } from './keys.ts';

/** The languages there are, each by its own name. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', es: 'Español', ar: 'العربية' } as const;

export type Language = keyof typeof LANGUAGES;

const LOADERS = {
  de: () => import('virtual:catalogue/de'),
  es: () => import('virtual:catalogue/es'),
  ar: () => import('virtual:catalogue/ar'),
};

export interface LanguageSnapshot {
  language: Language;
  /** For `Intl`: the language as it is spoken where the person is. */
  locale: string;
  direction: 'ltr' | 'rtl';
}

const i18n = setupI18n({ locale: 'en', messages: { en: english } });
const state = createBox<LanguageSnapshot>({ language: 'en', locale: 'en', direction: 'ltr' });

/** The language in use. What shows words is drawn anew when it changes. */
export const language = { getSnapshot: state.getSnapshot, subscribe: state.subscribe };

export const localeNow = (): string => state.getSnapshot().locale;

const RTL_LETTER = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u;

/** Keeps a name of the other direction from mixing with the words around it. */
export const isolate = (value: string): string =>
  state.getSnapshot().direction === 'rtl' || RTL_LETTER.test(value) ? `\u2068${value}\u2069` : value;

/** What a message is chosen by, and never shows. */
const CASES: readonly string[] = ['by', 'how'];

/** The message of that name in the language in use. Numbers are written as that language does where the message says so. */
export const t = (key: Key, values: Record<string, string | number> = {}): string => {
  const safe = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === 'string' && !CASES.includes(name) ? isolate(value) : value,
  ]);
  return i18n._(key, Object.fromEntries(safe));
};

const primary = (tag: string): string => tag.toLowerCase().split('-')[0] ?? '';

/** The first language that is both wanted and there. */
export const chooseLanguage = (wanted: readonly string[]): Language =>
  (wanted.map(primary).find((tag) => tag in LANGUAGES) as Language | undefined) ?? 'en';

/** English words of screens that are loaded later; other languages are loaded with all of theirs. */
export const addEnglish = (messages: Messages): void => i18n.load('en', messages);

/**
 * Speaks that language from now on. `wanted` are the browser's languages, for how dates and numbers are written.
 * Rejects when its words cannot be loaded; the language before stays.
 */
export const speak = async (next: Language, wanted: readonly string[]): Promise<void> => {
  const locale = wanted.find((tag) => primary(tag) === next) ?? next;
  if (next !== 'en') i18n.load(next, (await LOADERS[next]()).default);
  i18n.activate(next, [locale]);
  state.set({ language: next, locale, direction: next === 'ar' ? 'rtl' : 'ltr' });
};
