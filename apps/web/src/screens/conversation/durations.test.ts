import { expect, test } from 'vitest';
import { durationWords, timeLeft } from './durations.ts';

test('a timer is named in the largest unit that leaves nothing over', () => {
  expect([300, 3600, 28_800, 86_400, 604_800, 2_419_200, 90, 1].map(durationWords)).toEqual([
    '5 minutes',
    '1 hour',
    '8 hours',
    '1 day',
    '1 week',
    '4 weeks',
    '90 seconds',
    '1 second',
  ]);
});

test('what is left never says less than there is, and wakes when it says something else', () => {
  expect(timeLeft(59_500)).toEqual({ words: '60s', changesIn: 500 });
  expect(timeLeft(60_000)).toEqual({ words: '60s', changesIn: 1000 });
  expect(timeLeft(60_001)).toEqual({ words: '2m', changesIn: 250 });
  expect(timeLeft(3_600_000 * 3)).toEqual({ words: '3h', changesIn: 3_600_000 });
  expect(timeLeft(-5).words).toBe('0s');
});
