import type { Person } from '@sotto/engine/views';
import { useEffect, useId, useRef, useState } from 'react';
import type { KeyboardEvent, RefObject } from 'react';
import { t } from '../../i18n/i18n.ts';
import { noteEmoji, usedEmoji } from '../../platform/recent-emoji.ts';
import { Avatar } from '../../ui/avatar.tsx';
import type { Emoji } from '../../ui/emoji-data.ts';
import { replaceText } from '../../ui/replace-text.ts';
import { namedAt, typedAt } from './completion.ts';
import type { Typed } from './completion.ts';
import { mentionName } from './mentions.ts';
import './completion.css';

const MOST = 8;

type Option = { key: string; put: string; emoji: Emoji } | { key: string; put: string; person: Person };

// Data and search of emoji come with the first colon.
const emojiTools = async () => {
  const [{ loadEmoji }, { findEmoji, emojiOf }] = await Promise.all([
    import('../../ui/emoji-data.ts'),
    import('../../ui/find-emoji.ts'),
  ]);
  return { all: await loadEmoji(), findEmoji, emojiOf };
};

const peopleNamed = (people: readonly Person[], query: string): Option[] => {
  const wanted = query.toLocaleLowerCase();
  return people
    .filter(
      ({ name, handle }) =>
        handle.startsWith(wanted) ||
        name.toLocaleLowerCase().startsWith(wanted) ||
        name.toLocaleLowerCase().includes(` ${wanted}`),
    )
    .slice(0, MOST)
    .map((person) => ({ key: person.account, put: `${mentionName(person, people)} `, person }));
};

/** What `typed` may become; none until that is known. */
const useOptions = (typed: Typed | undefined, people: readonly Person[]): readonly Option[] => {
  const [found, setFound] = useState<{ query: string; options: Option[] }>({ query: '', options: [] });
  const wanted = typed?.kind === 'emoji' ? typed.query : undefined;
  useEffect(() => {
    if (wanted === undefined) return undefined;
    let current = true;
    emojiTools().then(
      ({ all, findEmoji }) => {
        const options = findEmoji(all, wanted, usedEmoji(), MOST).map((emoji) => ({
          key: emoji.emoji,
          put: `${emoji.emoji} `,
          emoji,
        }));
        if (current) setFound({ query: wanted, options });
      },
      // Without a network before they were ever loaded: a colon is a colon.
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [wanted]);
  if (typed?.kind === 'mention') return peopleNamed(people, typed.query);
  return wanted === undefined ? [] : found.options;
};

interface CompletionProps {
  field: RefObject<HTMLTextAreaElement | null>;
  text: string;
  /** Who may be named. */
  people: readonly Person[];
}

/** A list over the field while a name or an emoji is being typed. */
export const useCompletion = ({ field, text, people }: CompletionProps) => {
  const id = useId();
  const [caret, setCaret] = useState<number>();
  const [chosen, setChosen] = useState(0);
  const [left, setLeft] = useState<number>();
  const typed = caret === undefined ? undefined : typedAt(text, caret);
  const wanted = typed && (typed.kind === 'emoji' || people.length > 0) ? typed : undefined;
  const options = useOptions(wanted, people);
  const open = wanted !== undefined && wanted.start !== left && options.length > 0;
  const active = Math.min(chosen, options.length - 1);

  const start = wanted?.start;
  useEffect(() => setChosen(0), [start, wanted?.query]);
  useEffect(() => {
    if (start === undefined) setLeft(undefined);
  }, [start]);

  /** After a change or a move of the caret. */
  const look = (): void => {
    const { current } = field;
    if (!current) return;
    const { selectionStart, selectionEnd } = current;
    setCaret(selectionStart === selectionEnd ? selectionStart : undefined);
  };

  const pick = (option: Option): void => {
    if (!field.current || !wanted || caret === undefined) return;
    if ('emoji' in option) noteEmoji(option.put.trim());
    const after = wanted.start + option.put.length;
    replaceText(field.current, { start: wanted.start, end: caret, put: option.put, from: after, to: after });
    look();
  };

  /** A name between colons becomes what it names. */
  const settle = (): void => {
    const { current } = field;
    const named = current && namedAt(current.value, current.selectionStart);
    if (!named) return;
    const { value } = current;
    emojiTools().then(
      ({ all, emojiOf }) => {
        const emoji = emojiOf(all, named.code);
        if (emoji === undefined || current.value !== value) return;
        noteEmoji(emoji);
        const after = named.start + emoji.length;
        const end = named.start + named.code.length + 2;
        replaceText(current, { start: named.start, end, put: emoji, from: after, to: after });
      },
      () => undefined,
    );
  };

  /** True when the key was meant for the list. */
  const onKeyDown = ({ key, shiftKey }: KeyboardEvent): boolean => {
    if (!open) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    const option = options[active];
    if (step !== undefined) setChosen((active + step + options.length) % options.length);
    else if ((key === 'Enter' || key === 'Tab') && !shiftKey && option) pick(option);
    else if (key === 'Escape') setLeft(start);
    else return false;
    return true;
  };

  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [active, open]);

  const popup = open && (
    <div
      ref={list}
      className="completion"
      role="listbox"
      id={id}
      aria-label={t(wanted.kind === 'emoji' ? 'writing.emojiTitle' : 'writing.mentionTitle')}
    >
      {options.map((option, index) => (
        // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the field has the keys
        <div
          key={option.key}
          id={`${id}-${index}`}
          className="completion-option"
          role="option"
          tabIndex={-1}
          aria-selected={index === active}
          // The field keeps its focus.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => pick(option)}
        >
          {'emoji' in option ? (
            <>
              <span className="completion-emoji">{option.emoji.emoji}</span>
              <bdi className="completion-name">{option.emoji.label}</bdi>
              <bdi className="completion-code" dir="ltr">
                :{option.emoji.codes[0]}:
              </bdi>
            </>
          ) : (
            <>
              <Avatar name={option.person.name} account={option.person.account} size="s" />
              <bdi className="completion-name">{option.person.name}</bdi>
              <bdi className="completion-code" dir="ltr">
                @{option.person.handle}
              </bdi>
            </>
          )}
        </div>
      ))}
    </div>
  );
  const fieldProps = {
    'aria-autocomplete': 'list' as const,
    ...(open && { 'aria-controls': id, 'aria-activedescendant': `${id}-${active}` }),
  };
  return { popup, fieldProps, look, settle, onKeyDown };
};
