import { useEffect, useState } from 'react';

const MINUTE_MS = 60 * 1000;

/** Now, to the minute, for what ends at a time. */
export const useNow = (): number => {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
};
