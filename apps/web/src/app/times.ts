const DAY_MS = 24 * 60 * 60 * 1000;

/** Local midnight before `time`. */
export const dayOf = (time: number): number => new Date(time).setHours(0, 0, 0, 0);

/** Whole local days from `time` to `now`; summer time makes some days 23 or 25 hours long. */
const daysBetween = (time: number, now: number): number => Math.round((dayOf(now) - dayOf(time)) / DAY_MS);

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const dateAndYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const longDay = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const longDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

const capital = (text: string): string => text.charAt(0).toLocaleUpperCase() + text.slice(1);

const sameYear = (time: number, now: number): boolean =>
  new Date(time).getFullYear() === new Date(now).getFullYear();

export const clockTime = (time: number): string => clock.format(time);

/** As short as the list needs it: the nearer, the finer. */
export const listTime = (time: number, now: number): string => {
  const days = daysBetween(time, now);
  if (days <= 0) return clock.format(time);
  if (days === 1) return capital(relative.format(-1, 'day'));
  if (days < 7) return weekday.format(time);
  return (sameYear(time, now) ? date : dateAndYear).format(time);
};

/** What stands between two days of a conversation. */
export const dayName = (time: number, now: number): string => {
  const days = daysBetween(time, now);
  if (days === 0 || days === 1) return capital(relative.format(-days, 'day'));
  return (sameYear(time, now) ? longDay : longDate).format(time);
};
