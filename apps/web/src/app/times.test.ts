import { expect, test } from 'vitest';
import { dayName, listTime } from './times.ts';

/** A Friday. */
const NOW = new Date(2026, 2, 13, 9, 41).getTime();
const at = (year: number, month: number, day: number, hours = 23, minutes = 59): number =>
  new Date(year, month - 1, day, hours, minutes).getTime();

test('a day is called by the nearest name that it has', () => {
  const days = [at(2026, 3, 13, 0, 0), at(2026, 3, 12), at(2026, 3, 11), at(2026, 1, 2), at(2025, 12, 31)];
  expect(days.map((time) => dayName(time, NOW))).toEqual([
    'Today',
    'Yesterday',
    'Wednesday, March 11',
    'Friday, January 2',
    'December 31, 2025',
  ]);
});

test('the list is the finer the nearer it is', () => {
  const times = [at(2026, 3, 13, 0, 5), at(2026, 3, 12), at(2026, 3, 7), at(2026, 3, 6), at(2025, 12, 31)];
  expect(times.map((time) => listTime(time, NOW))).toEqual([
    expect.stringMatching(/^12:05\sAM$/),
    'Yesterday',
    'Sat',
    'Mar 6',
    'Dec 31, 2025',
  ]);
});
