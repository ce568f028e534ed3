import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { t } from '../../i18n/i18n.ts';
import './words.ts';

const SHOWN_AFTER_MS = 1000;

interface KeysLeftProps {
  count: number;
  children(words: string): ReactNode;
}

/** New keys go out to many. What takes no longer than a moment is not worth a word. */
export const KeysLeft = ({ count, children }: KeysLeftProps) => {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), SHOWN_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return shown ? children(t('writing.keysLeft', { count })) : null;
};
