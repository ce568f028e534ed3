import { useEffect, useLayoutEffect, useState } from 'react';
import { t } from '../../i18n/i18n.ts';
import { TimerIcon } from '../../ui/icons.tsx';
import { durationWords, timeLeft } from './durations.ts';

/** Timers of browsers reach no further than this. */
const LONGEST_MS = 86_400_000;

interface CountdownProps {
  timer: number;
  expiresAt: number | undefined;
}

/** When a message goes: how long it has from when it is read, and from then on how long there is left. */
export const Countdown = ({ timer, expiresAt }: CountdownProps) => {
  const [now, setNow] = useState(() => Date.now());
  // It has just been read: since the last look more may have passed than there is left.
  useLayoutEffect(() => setNow(Date.now()), [expiresAt]);
  const left = expiresAt === undefined ? undefined : timeLeft(expiresAt - now);
  const changesIn = left?.changesIn;
  useEffect(() => {
    if (changesIn === undefined) return undefined;
    const wait = setTimeout(() => setNow(Date.now()), Math.min(changesIn, LONGEST_MS));
    return () => clearTimeout(wait);
  }, [changesIn, now]);

  const says =
    left === undefined
      ? t('conversation.goesAfter', { time: durationWords(timer) })
      : t('conversation.goesIn', { time: left.words });
  return (
    <span className="message-timer" title={says}>
      <TimerIcon />
      <span className="sr-only">{says}</span>
      {left && <bdi aria-hidden="true">{left.words}</bdi>}
    </span>
  );
};
