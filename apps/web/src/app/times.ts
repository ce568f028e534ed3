import { perLocale } from '../i18n/format.ts';
import { localeNow } from '../i18n/i18n.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Local midnight before `time`. */
export const dayOf = (time: number): number => new Date(time).setHours(0, 0, 0, 0);

/** Whole local days from `time` to `now`; summer time makes some days 23 or 25 hours long. */
export const daysAgo = (time: number, now: number): number => Math.round((dayOf(now) - dayOf(time)) / DAY_MS);

const dates = (options: Intl.DateTimeFormatOptions) =>
  perLocale((locale) => new Intl.DateTimeFormat(locale, options));

const clock = dates({ hour: '2-digit', minute: '2-digit' });
const weekday = dates({ weekday: 'short' });
const date = dates({ day: 'numeric', month: 'short' });
const dateAndYear = dates({ day: 'numeric', month: 'short', year: 'numeric' });
const longDay = dates({ weekday: 'long', day: 'numeric', month: 'long' });
const longDate = dates({ day: 'numeric', month: 'long', year: 'numeric' });
const moment = dates({ weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' });
const relative = perLocale((locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }));

const capital = (text: string): string => text.charAt(0).toLocaleUpperCase(localeNow()) + text.slice(1);

const sameYear = (time: number, now: number): boolean =>
  new Date(time).getFullYear() === new Date(now).getFullYear();

export const clockTime = (time: number): string => clock().format(time);

/** A day of this year and the time of day. */
export const momentTime = (time: number): string => moment().format(time);

/** A day, with its year. */
export const dateTime = (time: number): string => longDate().format(time);

/** As short as the list needs it: the nearer, the finer. */
export const listTime = (time: number, now: number): string => {
  const days = daysAgo(time, now);
  if (days <= 0) return clock().format(time);
  if (days === 1) return capital(relative().format(-1, 'day'));
  if (days < 7) return weekday().format(time);
  return shortDate(time, now);
};

/** A day, with its year where that is another. */
export const shortDate = (time: number, now: number): string =>
  (sameYear(time, now) ? date() : dateAndYear()).format(time);

/** What stands between two days of a conversation. */
export const dayName = (time: number, now: number): string => {
  const days = daysAgo(time, now);
  if (days === 0 || days === 1) return capital(relative().format(-days, 'day'));
  return (sameYear(time, now) ? longDay() : longDate()).format(time);
};
