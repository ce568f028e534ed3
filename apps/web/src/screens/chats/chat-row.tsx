import type { ConversationSummary } from '@sotto/engine/views';
import { memo } from 'react';
import { Link } from 'react-router';
import { useEngine } from '../../app/engine-context.ts';
import { Plain } from '../../app/plain-text.tsx';
import { listTime } from '../../app/times.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { MoreIcon, MutedIcon, PinIcon } from '../../ui/icons.tsx';
import type { MenuPlace } from '../../ui/menu.tsx';
import { StatusTick } from '../../ui/status-tick.tsx';
import { useMenuOpeners } from '../../ui/use-menu.ts';
import { personName } from '../conversation/names.ts';
import { noteWords } from '../conversation/note-words.ts';

type Last = NonNullable<ConversationSummary['last']>;

/** What was changed in a group. */
const NoteLine = ({ last, note }: { last: Last; note: NonNullable<Last['note']> }) => {
  const { me } = useEngine().getSnapshot();
  const { from = '', mine, people } = last;
  return <bdi className="chat-row-text">{noteWords(note, { from, mine }, { people, me: me?.account })}</bdi>;
};

/** What is going on there, or was last said: the most pressing of it. */
const Preview = ({ conversation }: { conversation: ConversationSummary }) => {
  const { typing, draft, last, blocked, group } = conversation;
  if (typing.length > 0) return <span className="chat-row-text chat-row-live">{t('chats.typing')}</span>;
  if (blocked) return <span className="chat-row-text">{t('chats.blocked')}</span>;
  if (draft)
    return (
      <>
        <span className="chat-row-draft">{t('chats.draft')}</span>
        <bdi className="chat-row-text">{draft.text || t('chats.draftReply')}</bdi>
      </>
    );
  if (group && last?.note) return <NoteLine last={last} note={last.note} />;
  if (!last) return <span className="chat-row-text">{t('chats.nothingYet')}</span>;
  return (
    <>
      {last.mine && <StatusTick status={last.status} />}
      <bdi className="chat-row-text">
        {group && last.from !== undefined && !last.mine && (
          <span className="chat-row-author">
            {t('conversation.they', { name: personName(last.people?.[last.from]) })}{' '}
          </span>
        )}
        {last.text ? <Plain text={last.text} /> : t(last.deleted ? 'app.deletedMessage' : 'app.newerMessage')}
      </bdi>
    </>
  );
};

const Counts = ({
  conversation: { unread, mentioned },
  muted,
}: {
  conversation: ConversationSummary;
  muted: boolean;
}) => (
  <>
    {mentioned > 0 && (
      <span className="chat-row-count" title={t('chats.mentions', { count: mentioned })}>
        <span aria-hidden="true">@</span>
        <span className="sr-only">{t('chats.mentions', { count: mentioned })}</span>
      </span>
    )}
    {unread > 0 && (
      <span className="chat-row-count" data-muted={muted} title={t('chats.unread', { count: unread })}>
        <span aria-hidden="true">{unread > 99 ? t('chats.many') : t('chats.number', { count: unread })}</span>
        <span className="sr-only">{t('chats.unread', { count: unread })}</span>
      </span>
    )}
  </>
);

interface ChatRowProps {
  conversation: ConversationSummary;
  open: boolean;
  today: number;
  muted: boolean;
  onMenu(conversation: ConversationSummary, place: MenuPlace): void;
}

export const ChatRow = memo(({ conversation, open, today, muted, onMenu }: ChatRowProps) => {
  const { id, peer, last, online, pinned } = conversation;
  const openers = useMenuOpeners((place) => onMenu(conversation, place));
  return (
    <div className="chat-row-frame">
      <Link
        className="chat-row"
        to={`/c/${id}`}
        aria-current={open ? 'page' : undefined}
        data-row
        {...openers}
      >
        <span className="chat-row-face">
          <Avatar name={peer.name} account={peer.account} />
          {online && <span className="chat-row-online" title={t('chats.online')} />}
        </span>
        <span className="chat-row-name">
          <bdi>{peer.name}</bdi>
          {online && <span className="sr-only"> {t('chats.online')}</span>}
        </span>
        <span className="chat-row-time">{last && <time>{listTime(last.time, today)}</time>}</span>
        <span className="chat-row-last">
          <Preview conversation={conversation} />
        </span>
        <span className="chat-row-marks">
          {muted && (
            <span title={t('chats.muted')}>
              <MutedIcon />
              <span className="sr-only">{t('chats.muted')}</span>
            </span>
          )}
          {pinned !== undefined && (
            <span title={t('chats.pinned')}>
              <PinIcon />
              <span className="sr-only">{t('chats.pinned')}</span>
            </span>
          )}
          <Counts conversation={conversation} muted={muted} />
        </span>
      </Link>
      {/* For a mouse; fingers press long, and the keyboard has a key for it. */}
      <button
        type="button"
        className="icon-button chat-row-more"
        tabIndex={-1}
        aria-label={t('chats.actionsFor', { name: peer.name })}
        aria-haspopup="menu"
        title={t('chats.actions')}
        onClick={({ currentTarget }) => onMenu(conversation, currentTarget)}
      >
        <MoreIcon />
      </button>
    </div>
  );
});
