import { useEffect, useState } from 'react';
import { dayOf } from './times.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Now, as far as days matter: renders again after midnight, also when the machine slept through it. */
export const useToday = (): number => {
  const [today, setToday] = useState(() => dayOf(Date.now()));
  useEffect(() => {
    const look = (): void => setToday(dayOf(Date.now()));
    const timer = setTimeout(look, Math.max(1000, dayOf(today + DAY_MS * 1.5) - Date.now()));
    document.addEventListener('visibilitychange', look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [today]);
  return today;
};
