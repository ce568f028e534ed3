import type { ConversationId } from '@sotto/contract/ids';
import type { ChatMessage, ConversationSummary, StarredPage } from '@sotto/engine/views';
import { useEffect, useState } from 'react';
import { Link } from 'react-router';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { Plain } from '../../app/plain-text.tsx';
import { listTime } from '../../app/times.ts';
import { useToday } from '../../app/use-today.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button, IconButton } from '../../ui/button.tsx';
import { StarIcon } from '../../ui/icons.tsx';
import { Page } from '../../ui/page.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import './words.ts';
import './starred.css';

type Starred = StarredPage['messages'][number];

const isSame = (a: Starred, b: Starred): boolean =>
  a.conversation === b.conversation && a.message.id === b.message.id && a.message.from === b.message.from;

/** Pages of them, the newest first. */
const useStarred = () => {
  const engine = useEngine();
  const [page, setPage] = useState<StarredPage>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let current = true;
    engine.starred().then(
      (found) => current && setPage(found),
      (error: unknown) => current && setProblem(explain(error)),
    );
    return () => {
      current = false;
    };
  }, [engine]);

  const loadMore = (): void => {
    if (!page?.more) return;
    engine.starred({ before: page.more }).then(
      (next) =>
        setPage({ messages: [...page.messages, ...next.messages], ...(next.more && { more: next.more }) }),
      (error: unknown) => setProblem(explain(error)),
    );
  };
  const unstar = (gone: Starred): void => {
    engine.star(gone.conversation, gone.message.id, false).then(
      () => setPage((now) => now && { ...now, messages: now.messages.filter((one) => !isSame(one, gone)) }),
      (error: unknown) => setProblem(explain(error)),
    );
  };
  return { page, problem, loadMore, unstar };
};

interface RowProps {
  conversation: ConversationId;
  chat: ConversationSummary | undefined;
  message: ChatMessage;
  today: number;
  onUnstar(): void;
}

const Row = ({ conversation, chat, message, today, onUnstar }: RowProps) => {
  const name = chat?.peer.name ?? '';
  return (
    <li className="starred-row">
      <Link className="starred-link" to={`/c/${conversation}/${message.id}`}>
        <Avatar name={name} account={chat?.peer.account ?? conversation} size="s" />
        <span className="starred-head">
          <bdi className="starred-name">{name}</bdi>
          <time className="starred-time">
            <bdi>{listTime(message.time, today)}</bdi>
          </time>
        </span>
        <span className="starred-text" dir="auto">
          {message.mine && `${t('chats.you')} `}
          {message.text ? <Plain text={message.text} /> : t('app.newerMessage')}
        </span>
      </Link>
      <IconButton label={t('conversation.unstar')} onClick={onUnstar}>
        <StarIcon size={20} />
      </IconButton>
    </li>
  );
};

/** What was marked to be found again, of all conversations. */
export const StarredMessages = () => {
  const conversations = useEnginePart('conversations');
  const { page, problem, loadMore, unstar } = useStarred();
  const today = useToday();
  const chats = new Map(conversations.map((chat) => [chat.id, chat]));
  return (
    <Page title={t('chats.starred')} back={t('conversation.back')}>
      {problem !== undefined && <p role="alert">{problem}</p>}
      {page === undefined && problem === undefined && <Spinner label={t('app.opening')} />}
      {page?.messages.length === 0 && <p className="starred-none">{t('writing.starredNone')}</p>}
      <ul className="starred" aria-label={t('chats.starred')}>
        {page?.messages.map((one) => (
          <Row
            key={`${one.conversation} ${one.message.from} ${one.message.id}`}
            conversation={one.conversation}
            chat={chats.get(one.conversation)}
            message={one.message}
            today={today}
            onUnstar={() => unstar(one)}
          />
        ))}
      </ul>
      {page?.more && (
        <Button look="quiet" onClick={loadMore}>
          {t('chats.olderHits')}
        </Button>
      )}
    </Page>
  );
};
