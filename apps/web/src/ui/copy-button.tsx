import { useEffect, useState } from 'react';
import { t } from '../i18n/i18n.ts';
import { copyText } from '../platform/clipboard.ts';
import { Button } from './button.tsx';
import './copy-button.css';

interface CopyButtonProps {
  text: string;
  label: string;
  look?: 'main' | 'plain' | 'quiet';
  disabled?: boolean;
}

const SHOWN_MS = 2500;
const WORDS = { copied: 'app.copied', refused: 'app.selectToCopy' } as const;

export const CopyButton = ({ text, label, look = 'plain', disabled = false }: CopyButtonProps) => {
  const [outcome, setOutcome] = useState<keyof typeof WORDS>();
  useEffect(() => {
    if (outcome === undefined) return undefined;
    const timer = setTimeout(() => setOutcome(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);

  const copy = async (): Promise<void> => setOutcome((await copyText(text)) ? 'copied' : 'refused');
  return (
    <Button className="copy-button" look={look} disabled={disabled} onClick={() => void copy()}>
      <span aria-live="polite">{outcome === undefined ? label : t(WORDS[outcome])}</span>
    </Button>
  );
};
