import type { ChatMessage, Person } from '@sotto/engine/views';
import { memo } from 'react';
import { clockTime, dayName } from '../../app/times.ts';
import { DELETED, NEWER } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { StatusTick } from '../../ui/status-tick.tsx';
import { problemWords } from './problem-words.ts';
import './message-row.css';

const TEXT = {
  you: 'You:',
  they: (name: string) => `${name}:`,
  again: 'Try again',
  copyBack: 'Edit as a new message',
};

interface MessageRowProps {
  message: ChatMessage;
  peer: Person;
  newDay: boolean;
  first: boolean;
  last: boolean;
  today: number;
  onRetry(id: string): void;
  onTakeBack(text: string): void;
}

/** One message, with the name of the day before it where a day begins. */
export const MessageRow = memo((props: MessageRowProps) => {
  const { message, peer, newDay, first, last, today, onRetry, onTakeBack } = props;
  const { id, mine, text, newer, deleted, time, status } = message;
  const failed = status === 'failed' ? problemWords(message.problem, peer) : undefined;
  return (
    <>
      {newDay && <h2 className="message-day">{dayName(time, today)}</h2>}
      <div className="message" data-id={id} data-mine={mine} data-first={first} data-last={last}>
        <div className="message-bubble" dir="auto">
          <bdi className="sr-only">{mine ? TEXT.you : TEXT.they(peer.name)} </bdi>
          {newer || deleted ? (
            <em className="message-newer">{deleted ? DELETED : NEWER}</em>
          ) : (
            <span className="message-text">{text}</span>
          )}
          <span className="message-meta">
            <time dateTime={new Date(time).toISOString()}>{clockTime(time)}</time>
            {mine && <StatusTick status={status} />}
          </span>
        </div>
        {failed && (
          <div className="message-failed">
            <p>{failed.says}</p>
            <div className="message-ways">
              {failed.again && (
                <Button look="quiet" onClick={() => onRetry(id)}>
                  {TEXT.again}
                </Button>
              )}
              <Button look="quiet" onClick={() => onTakeBack(text)}>
                {TEXT.copyBack}
              </Button>
            </div>
          </div>
        )}
      </div>
    </>
  );
});
