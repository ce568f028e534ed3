import type { ConversationId } from '@sotto/contract/ids';
import { useEffect, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { isComposing } from '../../app/keys.ts';
import { t } from '../../i18n/i18n.ts';
import { IconButton } from '../../ui/button.tsx';
import { CloseIcon, FoldIcon, UpIcon } from '../../ui/icons.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { useHits } from './use-hits.ts';
import './search-bar.css';

interface SearchBarProps {
  id: ConversationId;
  name: string;
  /** A message has the words: it is to be shown, with them marked. */
  onShow(message: string): void;
  onQuery(query: string): void;
  onClose(): void;
}

const words = ({ found, at }: ReturnType<typeof useHits>): string | undefined => {
  if (!found) return undefined;
  if (found.failed !== undefined) return found.failed;
  if (found.hits.length === 0) return t(found.indexing ? 'chats.indexing' : 'writing.noHits');
  const place = { at: at + 1, count: found.hits.length };
  return t(found.more ? 'writing.hitOfMore' : 'writing.hitOf', place);
};

/** Finds words in one conversation, and goes from one message that has them to the next. */
export const SearchBar = ({ id, name, onShow, onQuery, onClose }: SearchBarProps) => {
  const [query, setQuery] = useState('');
  const bar = useRef<HTMLElement>(null);
  const hits = useHits(id, query, onShow);
  const { found, at, step } = hits;
  const last = (found?.hits.length ?? 0) - 1;

  useEffect(() => {
    const before = document.activeElement;
    bar.current?.querySelector('input')?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (isComposing(event.nativeEvent)) return;
    const isField = event.target instanceof HTMLInputElement;
    if (event.key === 'Escape') onClose();
    else if (isField && event.key === 'Enter') void step(event.shiftKey ? -1 : 1);
    else if (isField && event.key === 'ArrowUp') void step(1);
    else if (isField && event.key === 'ArrowDown') void step(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <section
      ref={bar}
      className="search-bar"
      aria-label={t('writing.searchIn', { name })}
      onKeyDownCapture={onKeyDown}
    >
      <SearchField
        label={t('writing.searchIn', { name })}
        clear={t('chats.searchClear')}
        value={query}
        onChange={(next) => {
          setQuery(next);
          onQuery(next.trim());
        }}
      />
      <p className="search-bar-count" role="status">
        {words(hits)}
      </p>
      <IconButton
        label={t('writing.olderHit')}
        aria-disabled={at >= last && !found?.more}
        onClick={() => void step(1)}
      >
        <UpIcon />
      </IconButton>
      <IconButton label={t('writing.newerHit')} aria-disabled={at <= 0} onClick={() => void step(-1)}>
        <FoldIcon open />
      </IconButton>
      <IconButton label={t('writing.searchClose')} onClick={onClose}>
        <CloseIcon />
      </IconButton>
    </section>
  );
};
