import type { Mention } from '@sotto/engine/views';
import { lazy, Suspense, useMemo, useState } from 'react';
import type { ComponentType } from 'react';
import { t } from '../../i18n/i18n.ts';
import { Linked } from './linked.tsx';
import { markMentions } from './mentions.ts';
import type { Named } from './mentions.ts';
import './message-text.css';

/** Anything that may be formatting; whatever else is shown as it stands, without a parser. */
const MARKS = /[*_`]|~~|^ {0,3}(?:>|[-+] |\d{1,9}[.)] )/m;

/** A text beyond this is folded; it is cut shorter, so that what unfolds is worth it. */
const FOLD = { characters: 1500, lines: 24 };
const CUT = { characters: 1000, lines: 16 };

// Where it cannot be loaded, the text stands as it was typed.
const Formatted = lazy((): Promise<{ default: ComponentType<{ text: string; named: readonly Named[] }> }> =>
  import('./formatted.tsx').then(
    (module) => ({ default: module.Formatted }),
    () => ({ default: Linked }),
  ),
);

const folded = (text: string): string | undefined => {
  const lines = text.split('\n');
  if (text.length <= FOLD.characters && lines.length <= FOLD.lines) return undefined;
  const cut = lines.slice(0, CUT.lines).join('\n').slice(0, CUT.characters);
  // Never through the middle of a character.
  return `${cut.replace(/[\ud800-\udbff]$/, '').trimEnd()}…`;
};

interface MessageTextProps {
  text: string;
  mentions?: readonly Mention[] | undefined;
}

/** What a message says: links, who is named, light formatting; folded when it is long. */
export const MessageText = ({ text, mentions }: MessageTextProps) => {
  const [whole, setWhole] = useState(false);
  const { marked, named } = useMemo(() => markMentions(text, mentions), [text, mentions]);
  const short = whole ? undefined : folded(marked);
  const shown = short ?? marked;
  const plain = <Linked text={shown} named={named} />;
  return (
    <>
      <div className="message-text">
        {MARKS.test(shown) ? (
          <Suspense fallback={plain}>
            <Formatted text={shown} named={named} />
          </Suspense>
        ) : (
          plain
        )}
      </div>
      {short !== undefined && (
        <button type="button" className="message-unfold" onClick={() => setWhole(true)}>
          {t('conversation.readMore')}
        </button>
      )}
    </>
  );
};
