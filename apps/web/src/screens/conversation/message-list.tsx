import type { ConversationId } from '@sotto/contract/ids';
import type { ConversationView } from '@sotto/engine/views';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { useToday } from '../../app/use-today.ts';
import { useView } from '../../app/use-view.ts';
import { Button } from '../../ui/button.tsx';
import { DownIcon } from '../../ui/icons.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { arrange } from './arrange.ts';
import { MessageRow } from './message-row.tsx';
import { useMarkRead } from './use-conversation.ts';
import { useScroll } from './use-scroll.ts';
import './message-list.css';

const TEXT = {
  log: (name: string) => `Messages with ${name}`,
  empty: (name: string) => `Write the first message to ${name}. Only the two of you can read it.`,
  older: 'Loading older messages',
  olderFailed: 'Older messages could not be read from this device.',
  again: 'Try again',
  fresh: (count: number) => (count === 1 ? '1 new message' : `${count} new messages`),
  end: 'To the newest message',
};

/** Older pages, one at a time; after a failure only when the person asks again. */
const useOlder = (view: ConversationView, hasOlder: boolean) => {
  const [state, setState] = useState<'idle' | 'loading' | 'failed'>('idle');
  const busy = useRef(false);
  const load = useCallback(() => {
    if (busy.current || !hasOlder) return;
    busy.current = true;
    setState('loading');
    view.loadOlder().then(
      () => {
        busy.current = false;
        setState('idle');
      },
      () => setState('failed'),
    );
  }, [view, hasOlder]);
  const again = (): void => {
    busy.current = false;
    load();
  };
  return { state, load, again };
};

/** Words for screen readers about a message that has just come in; never about history. */
const useAnnouncement = (view: ConversationView): string => {
  const { messages, peer } = useView(view);
  const newest = messages.at(-1);
  const before = useRef(newest?.id);
  const [words, setWords] = useState('');
  useEffect(() => {
    if (newest?.id === before.current) return;
    before.current = newest?.id;
    if (newest && !newest.mine) setWords(`${peer.name}: ${newest.text}`);
  }, [newest, peer.name]);
  return words;
};

interface MessageListProps {
  id: ConversationId;
  view: ConversationView;
  unread: number;
  onTakeBack(text: string): void;
}

export const MessageList = ({ id, view, unread, onTakeBack }: MessageListProps) => {
  const engine = useEngine();
  const today = useToday();
  const { messages, hasOlder, hasNewer, peer } = useView(view);
  const older = useOlder(view, hasOlder);
  const { list, atEnd, fresh, onScroll, toEnd } = useScroll(messages, older.load);
  const announcement = useAnnouncement(view);
  const entries = useMemo(() => arrange(messages), [messages]);
  useMarkRead(id, unread, atEnd && !hasNewer);
  useEffect(() => {
    // Fails when the store is closed: there is nothing newer to show then.
    if (atEnd && hasNewer) view.loadNewer().catch(() => undefined);
  }, [view, atEnd, hasNewer, messages]);

  const toNewest = (): void => {
    if (hasNewer) view.show('last').then(toEnd, () => undefined);
    else toEnd();
  };

  const onRetry = useCallback(
    // A store that cannot take it is told of above; the message stays as it is.
    (message: string) => void engine.retry(id, message).catch(() => undefined),
    [engine, id],
  );

  return (
    <div className="message-list">
      {/* Silent itself: older messages that are put in above would be read aloud. */}
      <div
        ref={list}
        className="message-list-scroll"
        role="log"
        aria-live="off"
        aria-label={TEXT.log(peer.name)}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls has to be reached by keyboard
        tabIndex={0}
        onScroll={onScroll}
      >
        <div className="message-list-top">
          {older.state === 'loading' && <Spinner label={TEXT.older} />}
          {older.state === 'failed' && (
            <>
              <p>{TEXT.olderFailed}</p>
              <Button look="quiet" onClick={older.again}>
                {TEXT.again}
              </Button>
            </>
          )}
        </div>
        {messages.length === 0 && <p className="message-list-empty">{TEXT.empty(peer.name)}</p>}
        <div className="message-list-rows">
          {entries.map(({ message, newDay, first, last }) => (
            <MessageRow
              key={message.id}
              message={message}
              peer={peer}
              newDay={newDay}
              first={first}
              last={last}
              today={today}
              onRetry={onRetry}
              onTakeBack={onTakeBack}
            />
          ))}
        </div>
      </div>
      {(!atEnd || hasNewer) && (
        <button
          type="button"
          className="message-list-fresh"
          data-fresh={fresh > 0}
          onClick={toNewest}
          {...(fresh === 0 && { 'aria-label': TEXT.end, title: TEXT.end })}
        >
          {fresh > 0 && TEXT.fresh(fresh)}
          <DownIcon />
        </button>
      )}
      <p className="sr-only" role="status" aria-label="New messages">
        {announcement}
      </p>
    </div>
  );
};
