import { perLocale } from '../../i18n/format.ts';
import { localeNow } from '../../i18n/i18n.ts';

/** Seconds in each, the largest first. */
const UNITS = [
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

type Unit = (typeof UNITS)[number][0];

const formats = perLocale(() => new Map<string, Intl.NumberFormat>());

const format = (unit: Unit, unitDisplay: 'long' | 'narrow'): Intl.NumberFormat => {
  const known = formats().get(unit + unitDisplay);
  const made = known ?? new Intl.NumberFormat(localeNow(), { style: 'unit', unit, unitDisplay });
  if (!known) formats().set(unit + unitDisplay, made);
  return made;
};

/** What messages may be set to go after, in seconds. */
export const TIMERS = [300, 3600, 28_800, 86_400, 604_800, 2_419_200] as const;

/** A number of seconds in the largest unit that leaves nothing over. */
export const durationWords = (seconds: number): string => {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size && seconds % size === 0) ?? UNITS[4];
  return format(unit, 'long').format(seconds / size);
};

/** What is left, to the largest unit, rounded up; and in how many ms that says something else. */
export const timeLeft = (ms: number): { words: string; changesIn: number } => {
  const seconds = Math.max(0, ms) / 1000;
  const [unit, size] = UNITS.find(([, size]) => seconds > size) ?? UNITS[4];
  const count = Math.ceil(seconds / size);
  return {
    words: format(unit, 'narrow').format(count),
    changesIn: Math.max(250, Math.ceil((seconds - (count - 1) * size) * 1000)),
  };
};
