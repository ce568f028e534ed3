import { listTime } from '../../app/times.ts';
import { t } from '../../i18n/i18n.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Says once what rows of the list say of times and numbers: browsers take as long to make the first formatters of a language
 * as to draw some fifteen rows.
 */
export const warmRows = (): void => {
  const now = Date.now();
  for (const days of [0, 1, 2, 7, 400]) listTime(now - days * DAY_MS, now);
  t('chats.unread', { count: 2 });
};
