import { t } from '../i18n/i18n.ts';
import { clockTime, daysAgo, shortDate } from './times.ts';

/** When somebody was there last: the nearer, the finer. */
export const lastSeenWords = (time: number, now: number): string => {
  const days = daysAgo(time, now);
  if (days <= 0) return t('conversation.lastSeenToday', { time: clockTime(time) });
  if (days === 1) return t('conversation.lastSeenYesterday', { time: clockTime(time) });
  return t('conversation.lastSeenOn', { date: shortDate(time, now) });
};
