import type { ConversationSummary, ConversationView, Person } from '@sotto/engine/views';
import { useCallback, useEffect, useState } from 'react';
import { Link } from 'react-router';
import { useEnginePart } from '../../app/engine-context.ts';
import { useNow } from '../../app/use-now.ts';
import { useView } from '../../app/use-view.ts';
import { isKey, isOverlaid } from '../../app/keys.ts';
import { t } from '../../i18n/i18n.ts';
import { Bar } from '../../ui/bar.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { Composer } from './composer.tsx';
import { Head } from './head.tsx';
import { KeysLeft } from './keys-left.tsx';
import { mayReact } from './may-write.ts';
import { MessageList } from './message-list.tsx';
import { Missing } from './missing.tsx';
import { authorName } from './names.ts';
import { noticeFor } from './notices.tsx';
import { SearchBar } from './search-bar.tsx';
import { useConversation } from './use-conversation.ts';
import { useMembers } from './use-members.ts';
import { useWriting } from './use-writing.ts';
import type { Writing } from './use-writing.ts';
import './words.ts';
import './conversation.css';

interface WriteProps {
  summary: ConversationSummary;
  view: ConversationView;
  writing: Writing;
  people: readonly Person[];
}

/** The field, under what it answers or changes. */
const Write = ({ summary: { peer }, view, writing, people }: WriteProps) => {
  const { messages, people: named } = useView(view);
  const storeProblem = useEnginePart('storeProblem');
  const { text, problem, notice, reply, editing, change, send, leave, startEdit } = writing;
  const answered = reply === undefined ? undefined : messages.find(({ id }) => id === reply);
  const about = editing
    ? {
        id: editing.message.id,
        title: t('conversation.editing'),
        text: editing.message.text,
        leave: t('conversation.leaveEdit'),
        edits: true,
      }
    : reply === undefined
      ? undefined
      : {
          id: reply,
          title: answered
            ? t('conversation.replyingTo', { name: authorName(answered, peer, named) })
            : t('conversation.replying'),
          text: answered?.text ?? t('conversation.earlierMessage'),
          leave: t('conversation.leaveReply'),
          edits: false,
        };
  const editLast = (): void => {
    const last = messages.findLast(({ mine, deleted, newer, note }) => mine && !deleted && !newer && !note);
    if (last) startEdit(last);
  };
  return (
    <Composer
      text={text}
      problem={problem}
      notice={notice}
      about={about}
      kept={!editing && storeProblem === undefined}
      people={people}
      onChange={change}
      onSend={send}
      onLeave={leave}
      onUp={editLast}
      onProblem={writing.complain}
    />
  );
};

/** What is searched for in the conversation, while it is. */
const useSearching = () => {
  const [search, setSearch] = useState<{ query: string; hit?: { id: string } }>();
  const open = useCallback((): void => setSearch((now) => now ?? { query: '' }), []);
  const onClose = useCallback((): void => setSearch(undefined), []);
  const onQuery = useCallback((query: string): void => setSearch({ query }), []);
  const onShow = useCallback(
    (id: string): void => setSearch((now) => now && { query: now.query, hit: { id } }),
    [],
  );
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!isKey(event, 'f') || isOverlaid()) return;
      // Asked for twice, the browser's own search opens.
      if (document.activeElement?.closest('.search-bar')) return;
      event.preventDefault();
      document.querySelector<HTMLInputElement>('.search-bar input')?.focus();
      open();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [open]);
  return { search, open, onClose, onQuery, onShow };
};

/** Somebody waits for an admin to let them in. */
const Asking = ({ id, count }: { id: string; count: number }) => (
  <Bar
    actions={
      <Link className="button button-quiet" to={`/about/${id}`}>
        {t('conversation.askingLook')}
      </Link>
    }
  >
    {t('conversation.asking', { count })}
  </Bar>
);

/** What is said there can come up. */
const isOpen = (group: ConversationSummary['group']): boolean =>
  group?.role !== undefined && group.stopped === undefined;

const NOTICED_MS = 60 * 1000;

/** Something came that cannot be read, for the relay keeps back what belongs to it. */
const Waiting = ({ since }: { since: number }) =>
  useNow() - since >= NOTICED_MS && <Bar>{t('writing.waiting')}</Bar>;

const Known = ({ summary, message }: { summary: ConversationSummary; message: string | undefined }) => {
  const opened = useConversation(summary.id, message);
  const phase = useEnginePart('phase');
  const { people, keysLeft } = useMembers(summary);
  const writing = useWriting(summary.id, summary.draft, people);
  const { search, open: openSearch, ...searching } = useSearching();
  if (opened === 'missing') return <Missing />;
  const removed = phase === 'removed';
  const notice = removed ? undefined : noticeFor(summary);
  const writable = !removed && notice === undefined;
  const rights = { write: writable, react: !removed && mayReact(summary) };
  const view = typeof opened === 'object' && 'view' in opened ? opened.view : undefined;
  return (
    <div className="conversation">
      <Head
        summary={summary}
        view={view}
        writable={writable}
        onFailure={writing.complain}
        onSearch={openSearch}
      />
      {/* One element, so that the list keeps its place in the grid. */}
      <div>
        {summary.group?.asking !== undefined && !removed && (
          <Asking id={summary.id} count={summary.group.asking} />
        )}
        <div role="status">
          {summary.waiting !== undefined && isOpen(summary.group) && !removed && (
            <Waiting since={summary.waiting} />
          )}
          {keysLeft !== undefined && <KeysLeft count={keysLeft}>{(words) => <Bar>{words}</Bar>}</KeysLeft>}
        </div>
        {view && search && <SearchBar id={summary.id} name={summary.peer.name} {...searching} />}
      </div>
      {view ? (
        <MessageList
          summary={summary}
          view={view}
          goTo={message}
          search={search}
          writing={writing}
          rights={rights}
        />
      ) : (
        <div className="conversation-wait">
          {opened === 'opening' ? (
            <Spinner label={t('conversation.opening')} />
          ) : (
            typeof opened === 'object' && 'failed' in opened && <p role="alert">{opened.failed}</p>
          )}
        </div>
      )}
      {view && writable && <Write summary={summary} view={view} writing={writing} people={people} />}
      {/* Where there is a field, it stands by that. */}
      {!writable && writing.problem !== undefined && (
        <p className="conversation-problem" role="alert">
          {writing.problem}
        </p>
      )}
      {removed && <p className="conversation-silent">{t('conversation.removed')}</p>}
      {notice}
    </div>
  );
};

export const Conversation = ({ id, message }: { id: string; message: string | undefined }) => {
  const conversations = useEnginePart('conversations');
  const summary = conversations.find((conversation) => (conversation.id as string) === id);
  return summary ? <Known summary={summary} message={message} /> : <Missing />;
};
