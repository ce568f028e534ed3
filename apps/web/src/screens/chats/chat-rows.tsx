import type { ConversationSummary } from '@sotto/engine/views';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { Link } from 'react-router';
import { t } from '../../i18n/i18n.ts';
import { FoldIcon, RequestIcon } from '../../ui/icons.tsx';
import type { MenuPlace } from '../../ui/menu.tsx';
import { ChatRow } from './chat-row.tsx';
import type { Entry } from './sections.ts';

/** As chat-list.css has them, in rem. */
const ROW_REM = { chat: 4.25, requests: 3.25, archive: 3.25 };

const keyOf = (entry: Entry): string => (entry.kind === 'chat' ? entry.conversation.id : entry.kind);
const remPx = (): number => Number.parseFloat(getComputedStyle(document.documentElement).fontSize);

const Line = ({ icon, label, unread }: { icon: ReactNode; label: string; unread: number }) => (
  <>
    <span className="chat-line-icon">{icon}</span>
    <span className="chat-line-label">{label}</span>
    {unread > 0 && (
      <span className="chat-row-count" data-muted="true" title={t('chats.unread', { count: unread })}>
        <span aria-hidden="true">{unread > 99 ? t('chats.many') : t('chats.number', { count: unread })}</span>
        <span className="sr-only">{t('chats.unread', { count: unread })}</span>
      </span>
    )}
  </>
);

interface ChatRowsProps {
  entries: readonly Entry[];
  /** The id of the conversation beside the list. */
  open: string | undefined;
  requestsOpen: boolean;
  today: number;
  now: number;
  onFold(): void;
  onMenu(conversation: ConversationSummary, place: MenuPlace): void;
}

/** Only the rows in sight and some around them are there: a list of thousands scrolls as one of ten. */
export const ChatRows = ({ entries, open, requestsOpen, today, now, onFold, onMenu }: ChatRowsProps) => {
  const box = useRef<HTMLDivElement>(null);
  const rem = remPx();
  // oxlint-disable-next-line react/incompatible-library -- no compiler here that would memoise its answers
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => ROW_REM[entries[index]!.kind] * rem,
    getItemKey: (index) => keyOf(entries[index]!),
    // So that the first picture has rows in it.
    initialRect: { width: 0, height: innerHeight },
    overscan: 8,
  });

  /** Arrows go from row to row: beside one in sight there is always another. */
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const item = (event.target as Element).closest('li');
    if (step === undefined || !item) return;
    const next = Number(item.dataset['index']) + step;
    if (next < 0 || next >= entries.length) return;
    event.preventDefault();
    box.current?.querySelector<HTMLElement>(`[data-index="${next}"] [data-row]`)?.focus();
  };

  const draw = (entry: Entry): ReactNode => {
    switch (entry.kind) {
      case 'chat':
        return (
          <ChatRow
            conversation={entry.conversation}
            open={entry.conversation.id === open}
            today={today}
            muted={(entry.conversation.muted ?? 0) > now}
            onMenu={onMenu}
          />
        );
      case 'requests':
        return (
          <Link
            className="chat-line"
            to="/requests"
            aria-current={requestsOpen ? 'page' : undefined}
            data-row
          >
            <Line
              icon={<RequestIcon />}
              label={t('chats.requests', { count: entry.count })}
              unread={entry.unread}
            />
          </Link>
        );
      case 'archive':
        return (
          <button type="button" className="chat-line" aria-expanded={entry.open} onClick={onFold} data-row>
            <Line
              icon={<FoldIcon open={entry.open} />}
              label={t('chats.archived', { count: entry.count })}
              unread={entry.unread}
            />
          </button>
        );
    }
  };

  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- keys of the rows in it
    <div className="chat-list-scroll" ref={box} onKeyDown={onKeyDown}>
      <ul className="chat-list-rows" style={{ blockSize: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, key, start, size }) => (
          <li
            key={key}
            data-index={index}
            aria-setsize={entries.length}
            aria-posinset={index + 1}
            style={{ blockSize: size, transform: `translateY(${start}px)` }}
          >
            {draw(entries[index]!)}
          </li>
        ))}
      </ul>
    </div>
  );
};
