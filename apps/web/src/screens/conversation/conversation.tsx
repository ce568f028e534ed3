import type { ConversationId } from '@sotto/contract/ids';
import type { ConversationSummary, ConversationView } from '@sotto/engine/views';
import { useEngineSnapshot } from '../../app/engine-context.ts';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { Spinner } from '../../ui/spinner.tsx';
import { Composer } from './composer.tsx';
import { Head } from './head.tsx';
import { MessageList } from './message-list.tsx';
import { authorName } from './message-row.tsx';
import { Missing } from './missing.tsx';
import { noticeFor } from './notices.tsx';
import { useConversation } from './use-conversation.ts';
import { useWriting } from './use-writing.ts';
import type { Writing } from './use-writing.ts';
import './conversation.css';

interface WriteProps {
  summary: ConversationSummary;
  view: ConversationView;
  writing: Writing;
}

/** The field, under what it answers or changes. */
const Write = ({ summary: { peer }, view, writing }: WriteProps) => {
  const { messages } = useView(view);
  const { text, problem, reply, editing, change, send, leave, startEdit } = writing;
  const answered = reply === undefined ? undefined : messages.find(({ id }) => id === reply);
  const about = editing
    ? {
        id: editing.message.id,
        title: t('conversation.editing'),
        text: editing.message.text,
        leave: t('conversation.leaveEdit'),
      }
    : reply === undefined
      ? undefined
      : {
          id: reply,
          title: answered
            ? t('conversation.replyingTo', { name: authorName(answered, peer) })
            : t('conversation.replying'),
          text: answered?.text ?? t('conversation.earlierMessage'),
          leave: t('conversation.leaveReply'),
        };
  const editLast = (): void => {
    const last = messages.findLast(({ mine, deleted, newer }) => mine && !deleted && !newer);
    if (last) startEdit(last);
  };
  return (
    <Composer
      text={text}
      problem={problem}
      about={about}
      onChange={change}
      onSend={send}
      onLeave={leave}
      onUp={editLast}
    />
  );
};

const Known = ({ summary, message }: { summary: ConversationSummary; message: string | undefined }) => {
  const opened = useConversation(summary.id, message);
  const { phase } = useEngineSnapshot();
  const writing = useWriting(summary.id, summary.draft);
  if (opened === 'missing') return <Missing />;
  const removed = phase === 'removed';
  const notice = removed ? undefined : noticeFor(summary);
  const writable = !removed && notice === undefined;
  const view = typeof opened === 'object' && 'view' in opened ? opened.view : undefined;
  return (
    <div className="conversation">
      <Head summary={summary} view={view} writable={writable} onFailure={writing.complain} />
      {view ? (
        <MessageList summary={summary} view={view} goTo={message} writing={writing} writable={writable} />
      ) : (
        <div className="conversation-wait">
          {opened === 'opening' ? (
            <Spinner label={t('conversation.opening')} />
          ) : (
            typeof opened === 'object' && 'failed' in opened && <p role="alert">{opened.failed}</p>
          )}
        </div>
      )}
      {view && writable && <Write summary={summary} view={view} writing={writing} />}
      {removed && <p className="conversation-silent">{t('conversation.removed')}</p>}
      {notice}
    </div>
  );
};

export const Conversation = ({ id, message }: { id: ConversationId; message: string | undefined }) => {
  const { conversations } = useEngineSnapshot();
  const summary = conversations.find((conversation) => conversation.id === id);
  return summary ? <Known summary={summary} message={message} /> : <Missing />;
};
