import type { ConversationSummary, ConversationView } from '@sotto/engine/views';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { useToday } from '../../app/use-today.ts';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { DownIcon } from '../../ui/icons.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { arrange } from './arrange.ts';
import type { Rights } from './message-deeds.ts';
import { deedOf } from './message-keys.ts';
import { MessageRow } from './message-row.tsx';
import { Unfolded } from './message-text.tsx';
import { OpenPerson } from './open-person.ts';
import { useAnnouncements } from './use-announcements.ts';
import { useDeeds } from './use-deeds.tsx';
import { useHighlight } from './use-highlight.ts';
import { usePages, useRows } from './use-rows.ts';
import type { Ends } from './use-rows.ts';
import { useMarkRead, useNewFrom } from './use-seen.ts';
import type { Writing } from './use-writing.ts';
import './message-list.css';

const Older = ({ older }: { older: ReturnType<typeof usePages> }) => (
  <div className="message-list-top">
    {older.state === 'loading' && <Spinner label={t('conversation.loadingOlder')} />}
    {older.state === 'failed' && (
      <>
        <p>{t('conversation.olderFailed')}</p>
        <Button look="quiet" onClick={older.again}>
          {t('app.again')}
        </Button>
      </>
    )}
  </div>
);

const ToNewest = ({ fresh, onClick }: { fresh: number; onClick(): void }) => {
  const label = t('conversation.toNewest');
  return (
    <button
      type="button"
      className="message-list-fresh"
      data-fresh={fresh > 0}
      onClick={onClick}
      {...(fresh === 0 && { 'aria-label': label, title: label })}
    >
      {fresh > 0 && t('conversation.newMessages', { count: fresh })}
      <DownIcon />
    </button>
  );
};

interface MessageListProps {
  summary: ConversationSummary;
  view: ConversationView;
  /** The id of a message to show. */
  goTo: string | undefined;
  /** What is searched for here, and the message that has it: a new object each time it is to be shown. */
  search: { query: string; hit?: { id: string } } | undefined;
  writing: Writing;
  rights: Rights;
}

export const MessageList = (props: MessageListProps) => {
  const { summary, view, goTo, search, writing, rights } = props;
  const today = useToday();
  const [unfolded] = useState(() => new Set<string>());
  const { me } = useEngine().getSnapshot();
  const { messages, hasOlder, hasNewer, peer, people } = useView(view);
  const newFrom = useNewFrom(view);
  const entries = useMemo(() => arrange(messages, newFrom), [messages, newFrom]);
  const older = usePages(view, 'older', hasOlder);
  const newer = usePages(view, 'newer', hasNewer);
  const announcements = useAnnouncements(view);
  const opensAt = useMemo((): Ends['opensAt'] => {
    const id = goTo ?? newFrom;
    return id === undefined ? undefined : { id, asked: goTo !== undefined };
  }, [goTo, newFrom]);
  const model = useRows(entries, {
    hasNewer,
    opensAt,
    wantOlder: older.load,
    wantNewer: newer.load,
  });
  const { list, rows, marked } = model;
  const atEnd = model.atEnd && !hasNewer;
  useMarkRead(summary, view, { atEnd, lastSeen: model.lastSeen });

  const { goTo: goToRow, leaveFor, stay } = model;
  const jump = useCallback(
    // A message that is not there any more leads to the end; a store that fails, nowhere.
    (id: string, focuses = false): void => {
      leaveFor(id);
      view.show(id).then(() => goToRow(id, focuses), stay);
    },
    [view, leaveFor, goToRow, stay],
  );
  const onJump = useCallback((id: string): void => jump(id, true), [jump]);
  const { deeds, open, openPerson } = useDeeds({ summary, view, writing, rights, onJump });

  const toNewest = useCallback((): void => {
    void view
      .show('last')
      .then(() => rows.scrollToEnd())
      .catch(() => undefined);
  }, [view, rows]);

  // The address names another message of this conversation.
  const shown = useRef(goTo);
  useEffect(() => {
    if (goTo !== undefined && goTo !== shown.current) jump(goTo);
    shown.current = goTo;
  }, [goTo, jump]);

  const hit = search?.hit;
  useEffect(() => {
    if (hit) jump(hit.id);
  }, [hit, jump]);
  useHighlight(list, search?.query ?? '');

  // Who writes sees it; one that more pages brought was there before.
  const newest = messages.at(-1);
  const before = useRef({ id: newest?.id, hasNewer });
  useEffect(() => {
    const { id, hasNewer: hadNewer } = before.current;
    // Where the one before has gone, nothing has come.
    const isAdded = newest?.id !== id && (id === undefined || messages.some((message) => message.id === id));
    if (newest?.mine && isAdded && !hasNewer && !hadNewer) rows.scrollToEnd();
    before.current = { id: newest?.id, hasNewer };
  }, [messages, newest, hasNewer, rows]);

  /** Arrows go from message to message, Home and End to the first and the last that are there; Enter opens what can be done with one, and letters do it. */
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const at = (event.target as Element).closest<HTMLElement>('[data-index]');
    const opens = event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey);
    const message = at?.querySelector<HTMLElement>('.message');
    if (message && (opens || (event.key === 'Enter' && event.target === message))) {
      event.preventDefault();
      const entry = entries[Number(at?.dataset['index'])];
      if (entry) deeds.onMenu(entry.message, message.querySelector('.message-bubble') ?? message);
      return;
    }
    const focused = event.target === message ? entries[Number(at?.dataset['index'])]?.message : undefined;
    const bubble = message?.querySelector('.message-bubble') ?? message;
    const deed = focused && bubble && deedOf(event, focused, bubble, rights, deeds);
    if (deed) {
      event.preventDefault();
      deed();
      return;
    }
    const end = { Home: 0, End: entries.length - 1 }[event.key];
    if ((step ?? end) === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'End' && hasNewer) {
      event.preventDefault();
      // The row that has the focus goes.
      list.current?.focus();
      toNewest();
      return;
    }
    const from =
      end ??
      (at
        ? Number(at.dataset['index']) + (step ?? 0)
        : entries.findIndex(({ message }) => message.id === model.lastSeen));
    if (from < 0 || from >= entries.length) return;
    event.preventDefault();
    rows.scrollToIndex(from);
    const focus = (): boolean => {
      const row = list.current?.querySelector<HTMLElement>(`[data-index="${from}"] .message`);
      row?.focus({ preventScroll: true });
      return row !== undefined && row !== null;
    };
    // One that is not drawn yet is in the next frame.
    if (!focus()) requestAnimationFrame(focus);
  };

  const items = rows.getVirtualItems();
  return (
    <div className="message-list">
      {/* Silent itself: older messages that are put in above would be read aloud. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys of the messages in it */}
      <div
        ref={list}
        className="message-list-scroll"
        role="log"
        aria-live="off"
        aria-label={t('conversation.log', { name: peer.name })}
        aria-describedby="message-list-keys"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls has to be reached by keyboard
        tabIndex={0}
        onScroll={model.look}
        onWheel={stay}
        onTouchMove={stay}
        onKeyDown={onKeyDown}
      >
        {messages.length === 0 && (
          <p className="message-list-empty">
            {people
              ? t('conversation.emptyGroup')
              : peer.account === me?.account
                ? t('conversation.emptySelf')
                : t('conversation.empty', { name: peer.name })}
          </p>
        )}
        <div className="message-list-rows" style={{ blockSize: rows.getTotalSize() }}>
          <Older older={older} />
          <div className="message-list-window" style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
            <OpenPerson value={openPerson}>
              <Unfolded value={unfolded}>
                {items.map(({ index, key }) => (
                  <div key={key} className="message-list-row" data-index={index} ref={rows.measureElement}>
                    <MessageRow
                      entry={entries[index]!}
                      peer={peer}
                      people={people}
                      today={today}
                      marked={[marked, hit?.id].includes(entries[index]!.message.id)}
                      deeds={deeds}
                    />
                  </div>
                ))}
              </Unfolded>
            </OpenPerson>
          </div>
        </div>
      </div>
      {(!model.atEnd || hasNewer) && messages.length > 0 && (
        <ToNewest fresh={summary.unread} onClick={toNewest} />
      )}
      <p className="sr-only" id="message-list-keys">
        {t('conversation.keys')}
      </p>
      <div
        className="sr-only"
        role="status"
        // What is added is read, and nothing again.
        aria-atomic="false"
        aria-label={t('conversation.newMessagesLabel')}
      >
        {announcements.map(({ id, words }) => (
          <p key={id}>{words}</p>
        ))}
      </div>
      {open}
    </div>
  );
};
