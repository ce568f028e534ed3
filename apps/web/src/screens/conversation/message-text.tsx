import type { Mention } from '@sotto/engine/views';
import { createContext, lazy, Suspense, useContext, useMemo, useState } from 'react';
import type { ComponentType, MouseEvent } from 'react';
import { MARKS } from '../../app/plain-text.tsx';
import { t } from '../../i18n/i18n.ts';
import { Linked } from './linked.tsx';
import { markMentions } from './mentions.ts';
import type { Named } from './mentions.ts';
import './message-text.css';

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

/** The messages of an open conversation that somebody has unfolded, by id: their rows come and go. */
export const Unfolded = createContext<Set<string> | undefined>(undefined);

interface MessageTextProps {
  /** The message's. */
  id?: string;
  text: string;
  mentions?: readonly Mention[] | undefined;
}

/** What a message says: links, who is named, light formatting; folded when it is long. */
export const MessageText = ({ id = '', text, mentions }: MessageTextProps) => {
  const unfolded = useContext(Unfolded);
  const [whole, setWhole] = useState(() => unfolded?.has(id) === true);
  const { marked, named } = useMemo(() => markMentions(text, mentions), [text, mentions]);
  const short = folded(marked);
  const shown = whole || short === undefined ? marked : short;
  const plain = <Linked text={shown} named={named} />;
  const fold = ({ currentTarget }: MouseEvent): void => {
    if (whole) unfolded?.delete(id);
    else unfolded?.add(id);
    setWhole(!whole);
    // What was read last stays in sight.
    if (whole) requestAnimationFrame(() => currentTarget.scrollIntoView({ block: 'nearest' }));
  };
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
        <button type="button" className="message-unfold" aria-expanded={whole} onClick={fold}>
          {t(whole ? 'writing.showLess' : 'conversation.readMore')}
        </button>
      )}
    </>
  );
};
