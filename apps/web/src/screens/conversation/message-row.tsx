import type { GroupNote } from '@sotto/engine/rows';
import type { ChatMessage, Person, QuotedMessage } from '@sotto/engine/views';
import { memo, useId } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { Plain } from '../../app/plain-text.tsx';
import { clockTime, dayName } from '../../app/times.ts';
import { perLocale } from '../../i18n/format.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar, hueOf } from '../../ui/avatar.tsx';
import { Button, IconButton } from '../../ui/button.tsx';
import { MoreIcon, StarIcon } from '../../ui/icons.tsx';
import type { MenuPlace } from '../../ui/menu.tsx';
import { StatusTick } from '../../ui/status-tick.tsx';
import { useMenuOpeners } from '../../ui/use-menu.ts';
import type { Entry } from './arrange.ts';
import { Countdown } from './countdown.tsx';
import { MessageText } from './message-text.tsx';
import { authorName, personName } from './names.ts';
import type { People } from './names.ts';
import { noteWords } from './note-words.ts';
import { problemWords } from './problem-words.ts';
import './message-row.css';

/** What can be done from a row. Stays the same object, so that rows need not be drawn again. */
export interface RowDeeds {
  onMenu(message: ChatMessage, place: MenuPlace): void;
  onReact(message: ChatMessage, emoji: string | null): void;
  onJump(id: string): void;
  onHistory(message: ChatMessage): void;
  onRetry(message: ChatMessage): void;
  /** Absent where nothing can be written. */
  onTakeBack?: (message: ChatMessage) => void;
}

const number = perLocale((locale) => new Intl.NumberFormat(locale));

interface MessageRowProps {
  entry: Entry;
  peer: Person;
  people: People;
  today: number;
  /** It was jumped to. */
  marked: boolean;
  deeds: RowDeeds;
}

interface QuoteProps {
  quote: QuotedMessage;
  peer: Person;
  people: People;
  onJump(id: string): void;
}

const Quote = ({ quote, peer, people, onJump }: QuoteProps) => (
  <button
    type="button"
    className="message-quote"
    tabIndex={-1}
    aria-label={t('conversation.toQuoted', { name: authorName(quote, peer, people) })}
    onClick={() => onJump(quote.id)}
  >
    <bdi className="message-quote-name">{authorName(quote, peer, people)}</bdi>
    <span className="message-quote-text" dir="auto">
      {quote.text === undefined ? t('conversation.quoteGone') : <Plain text={quote.text} />}
    </span>
  </button>
);

const Reactions = ({ message, onReact }: { message: ChatMessage; onReact: RowDeeds['onReact'] }) => (
  <div className="message-reactions">
    {message.reactions?.map(({ emoji, accounts, mine }) => {
      const says = t(mine ? 'conversation.reactedMine' : 'conversation.reacted', {
        emoji,
        count: accounts.length,
      });
      return (
        <button
          key={emoji}
          type="button"
          className="message-reaction"
          tabIndex={-1}
          aria-pressed={mine}
          aria-label={says}
          title={says}
          onClick={() => onReact(message, mine ? null : emoji)}
        >
          <span className="message-reaction-emoji" aria-hidden="true">
            {emoji}
          </span>
          {accounts.length > 1 && <span aria-hidden="true">{number().format(accounts.length)}</span>}
        </button>
      );
    })}
  </div>
);

const Meta = ({ message, onHistory }: { message: ChatMessage; onHistory: RowDeeds['onHistory'] }) => {
  const { mine, time, status, timer, expiresAt } = message;
  return (
    <span className="message-meta">
      {message.starred && (
        <span className="message-starred" title={t('conversation.starred')}>
          <StarIcon />
          <span className="sr-only">{t('conversation.starred')}</span>
        </span>
      )}
      {message.edits && !message.deleted && (
        <button type="button" className="message-edited" tabIndex={-1} onClick={() => onHistory(message)}>
          {t('conversation.edited')}
        </button>
      )}
      {timer !== undefined && <Countdown timer={timer} expiresAt={expiresAt} />}
      <time dateTime={new Date(time).toISOString()} dir="auto">
        {clockTime(time)}
      </time>
      {mine && <StatusTick status={status} />}
    </span>
  );
};

const Failed = ({ message, peer, deeds }: { message: ChatMessage; peer: Person; deeds: RowDeeds }) => {
  const { says, again } = problemWords(message.problem, peer);
  return (
    <div className="message-failed">
      <p>{says}</p>
      <div className="message-ways">
        {again && (
          <Button look="quiet" onClick={() => deeds.onRetry(message)}>
            {t('app.again')}
          </Button>
        )}
        {deeds.onTakeBack && (
          <Button look="quiet" onClick={() => deeds.onTakeBack?.(message)}>
            {t('conversation.editAsNew')}
          </Button>
        )}
      </div>
    </div>
  );
};

/** That it is gone, and where its author did not do that, who did. */
const deletedWords = ({ deletedBy }: ChatMessage, people: People): string => {
  if (deletedBy === undefined) return t('app.deletedMessage');
  const name = people?.[deletedBy]?.name;
  return name ? t('conversation.deletedBy', { name }) : t('conversation.deletedByAdmin');
};

const Body = ({ message, people }: { message: ChatMessage; people: People }) => {
  if (message.deleted) return <em className="message-newer">{deletedWords(message, people)}</em>;
  if (message.newer) return <em className="message-newer">{t('app.newerMessage')}</em>;
  return <MessageText id={message.id} text={message.text} mentions={message.mentions} />;
};

/** What was changed in the group. */
const Note = ({ message, note, people }: { message: ChatMessage; note: GroupNote; people: People }) => {
  const { me } = useEngine().getSnapshot();
  return (
    <p className="message message-note" tabIndex={-1} data-note={message.id}>
      {noteWords(note, message, { people, me: me?.account })}
    </p>
  );
};

/** One message, with what stands before it: the name of its day, the line where the new ones begin. */
export const MessageRow = memo(({ entry, peer, people, today, marked, deeds }: MessageRowProps) => {
  const { message, newDay, newHere, first, last } = entry;
  const { id, from, mine, reply, deleted, note } = message;
  const words = useId();
  const author = authorName(message, peer, people);
  const isOfMany = people !== undefined && !mine;
  // The list has the keys.
  const { onKeyDown: _, ...pointer } = useMenuOpeners((place) => deeds.onMenu(message, place));
  const before = (
    <>
      {newDay && <h2 className="message-day">{dayName(message.time, today)}</h2>}
      {newHere && <p className="message-new-line">{t('conversation.newMessagesLabel')}</p>}
    </>
  );
  if (note)
    return (
      <>
        {before}
        <Note message={message} note={note} people={people} />
      </>
    );
  return (
    <>
      {before}
      <div
        className="message"
        role="group"
        // All of it: what it says, when, and what became of it.
        aria-labelledby={words}
        tabIndex={-1}
        data-id={id}
        data-mine={mine}
        data-first={first}
        data-last={last}
        data-marked={marked}
      >
        <div className="message-line">
          {isOfMany && (
            <span className="message-face">{last && <Avatar name={author} account={from} size="xs" />}</span>
          )}
          <div className="message-bubble" dir="auto" id={words} {...pointer}>
            {isOfMany && first && (
              <p className="message-author" data-hue={hueOf(from)} aria-hidden="true">
                <bdi>{author}</bdi>
              </p>
            )}
            <bdi className="sr-only">
              {mine ? t('conversation.you') : t('conversation.they', { name: author })}{' '}
            </bdi>
            {message.sharedBy !== undefined && (
              <p className="message-forwarded">
                {t('conversation.sharedBy', { name: personName(people?.[message.sharedBy]) })}
              </p>
            )}
            {message.forwarded && <p className="message-forwarded">{t('conversation.forwarded')}</p>}
            {reply && !deleted && <Quote quote={reply} peer={peer} people={people} onJump={deeds.onJump} />}
            <Body message={message} people={people} />
            <Meta message={message} onHistory={deeds.onHistory} />
          </div>
          <IconButton
            className="message-more"
            label={t('conversation.actions')}
            tabIndex={-1}
            aria-haspopup="menu"
            onClick={(event) => deeds.onMenu(message, event.currentTarget)}
          >
            <MoreIcon />
          </IconButton>
        </div>
        {message.reactions && <Reactions message={message} onReact={deeds.onReact} />}
        {message.outdated && <p className="message-aside">{t('conversation.outdated', { name: author })}</p>}
        {message.status === 'failed' && <Failed message={message} peer={peer} deeds={deeds} />}
      </div>
    </>
  );
});
