import { localeNow } from './i18n.ts';

/** A formatter of `Intl` for the language in use, made anew only when that changes. */
export const perLocale = <F>(make: (locale: string) => F): (() => F) => {
  let made: { locale: string; format: F } | undefined;
  return () => {
    const locale = localeNow();
    if (made?.locale !== locale) made = { locale, format: make(locale) };
    return made.format;
  };
};
