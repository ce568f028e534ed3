import type { ConversationSummary, SearchHit } from '@sotto/engine/views';
import { Link } from 'react-router';
import { usePlainText } from '../../app/plain-text.tsx';
import { listTime } from '../../app/times.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { EDGE, withEdges } from './edges.ts';
import { findByName } from './sections.ts';
import { useSearch } from './use-search.ts';
import './search-results.css';

/** A part of a message with what was searched for marked in it. */
const Snippet = ({ snippet }: Pick<SearchHit, 'snippet'>) => {
  const parts = usePlainText(withEdges(snippet)).split(EDGE);
  return (
    <bdi className="chat-row-text">
      {/* oxlint-disable-next-line react/no-array-index-key -- parts of one text never change places */}
      {parts.map((part, index) => (index % 2 === 1 ? <mark key={index}>{part}</mark> : part))}
    </bdi>
  );
};

interface SearchResultsProps {
  query: string;
  conversations: readonly ConversationSummary[];
  /** One's own account. */
  me: string | undefined;
  today: number;
}

export const SearchResults = ({ query, conversations, me, today }: SearchResultsProps) => {
  const { found, loadMore } = useSearch(query);
  const people = findByName(conversations, query);
  const byId = new Map(conversations.map((conversation) => [conversation.id, conversation]));
  const hits = found?.hits ?? [];
  const nothing = found !== undefined && found.failed === undefined && hits.length + people.length === 0;

  return (
    <div className="search-results">
      {people.length > 0 && (
        <section aria-label={t('chats.people')}>
          <h2 className="search-results-head">{t('chats.people')}</h2>
          <ul>
            {people.map(({ id, peer, group }) => (
              <li key={id}>
                <Link className="chat-row" to={`/c/${id}`}>
                  <Avatar name={peer.name} account={peer.account} />
                  <span className="chat-row-name">
                    <bdi>{peer.name}</bdi>
                  </span>
                  <span className="chat-row-last">{!group && <bdi dir="ltr">@{peer.handle}</bdi>}</span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
      {hits.length > 0 && (
        <section aria-label={t('chats.messages')}>
          <h2 className="search-results-head">{t('chats.messages')}</h2>
          <ul>
            {hits.map(({ conversation, message, from, time, snippet }) => {
              const chat = byId.get(conversation);
              if (!chat) return null;
              return (
                <li key={`${message} ${from}`}>
                  <Link className="chat-row" to={`/c/${conversation}/${message}`}>
                    <Avatar name={chat.peer.name} account={chat.peer.account} />
                    <span className="chat-row-name">
                      <bdi>{chat.peer.name}</bdi>
                    </span>
                    <time className="chat-row-time">{listTime(time, today)}</time>
                    <span className="chat-row-last">
                      {from === me && `${t('chats.you')} `}
                      <Snippet snippet={snippet} />
                    </span>
                  </Link>
                </li>
              );
            })}
          </ul>
          {found?.more && (
            <Button look="quiet" className="search-results-more" onClick={() => void loadMore()}>
              {t('chats.olderHits')}
            </Button>
          )}
        </section>
      )}
      <div className="search-results-note" role="status">
        {found === undefined && people.length === 0 && <Spinner label={t('chats.searching')} />}
        {nothing && <p>{t('chats.nothingFound', { query: found.query })}</p>}
        {found?.indexing === true && <p>{t('chats.indexing')}</p>}
        {found?.failed !== undefined && <p>{found.failed}</p>}
        {found && hits.length > 0 && (
          <p className="sr-only">{t('chats.found', { count: hits.length + people.length })}</p>
        )}
      </div>
    </div>
  );
};
