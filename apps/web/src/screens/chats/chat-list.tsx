import type { ConversationSummary } from '@sotto/engine/views';
import { memo, useState } from 'react';
import { Link } from 'react-router';
import { useEngineSnapshot } from '../../app/engine-context.ts';
import { listTime } from '../../app/times.ts';
import { useToday } from '../../app/use-today.ts';
import { DELETED, NEWER } from '../../app/words.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button, IconButton } from '../../ui/button.tsx';
import { InviteIcon, MenuIcon, PencilIcon } from '../../ui/icons.tsx';
import { StatusTick } from '../../ui/status-tick.tsx';
import { InviteDialog } from './invite-dialog.tsx';
import { MenuDialog } from './menu-dialog.tsx';
import { NewChatDialog } from './new-chat-dialog.tsx';
import './chat-list.css';

const TEXT = {
  title: 'Chats',
  newChat: 'New chat',
  menu: 'Menu',
  invite: 'Invite someone',
  nobody: 'Nobody here yet',
  nobodySays: 'Invite someone you know. When they have opened your link, you can write to each other.',
  nothingYet: 'No messages yet',
  unread: (count: number) => (count === 1 ? '1 unread message' : `${count} unread messages`),
};

interface RowProps {
  conversation: ConversationSummary;
  open: boolean;
  today: number;
}

const Row = memo(({ conversation: { id, peer, unread, last }, open, today }: RowProps) => (
  <li>
    <Link className="chat-row" to={`/c/${id}`} aria-current={open ? 'page' : undefined}>
      <Avatar name={peer.name} account={peer.account} />
      <span className="chat-row-name">
        <bdi>{peer.name}</bdi>
      </span>
      {last && <time className="chat-row-time">{listTime(last.time, today)}</time>}
      <span className="chat-row-last">
        {last?.mine === true && <StatusTick status={last.status} />}
        <bdi className="chat-row-text" data-empty={!last}>
          {last ? last.text || (last.deleted ? DELETED : NEWER) : TEXT.nothingYet}
        </bdi>
      </span>
      {unread > 0 && (
        <span className="chat-row-unread" title={TEXT.unread(unread)}>
          <span aria-hidden="true">{unread > 99 ? '99+' : unread}</span>
          <span className="sr-only">{TEXT.unread(unread)}</span>
        </span>
      )}
    </Link>
  </li>
));

/** What is shown over the list; one thing at a time. */
type Over = 'invite' | 'new' | 'menu';

export const ChatList = ({ open }: { open: string | undefined }) => {
  const { me, conversations, phase } = useEngineSnapshot();
  const today = useToday();
  const [over, setOver] = useState<Over>();
  const close = (): void => setOver(undefined);
  const inert = phase !== 'ready';
  const empty = conversations.length === 0;

  const invite = (
    <Button look={empty ? 'main' : 'quiet'} onClick={() => setOver('invite')} disabled={inert}>
      <InviteIcon />
      {TEXT.invite}
    </Button>
  );

  return (
    <div className="chat-list">
      <header className="chat-list-head">
        {me && <Avatar name={me.name} account={me.account} size="s" />}
        <div className="chat-list-me">
          <p className="chat-list-name">
            <bdi>{me?.name}</bdi>
          </p>
          <p className="chat-list-handle">
            <bdi dir="ltr">@{me?.handle}</bdi>
          </p>
        </div>
        <IconButton label={TEXT.newChat} onClick={() => setOver('new')} disabled={inert}>
          <PencilIcon />
        </IconButton>
        <IconButton label={TEXT.menu} onClick={() => setOver('menu')} aria-haspopup="dialog">
          <MenuIcon />
        </IconButton>
      </header>
      <nav className="chat-list-rows" aria-label={TEXT.title}>
        <h1 className="sr-only">{TEXT.title}</h1>
        {empty ? (
          <div className="chat-list-empty">
            <p className="chat-list-name">{TEXT.nobody}</p>
            <p>{TEXT.nobodySays}</p>
            {invite}
          </div>
        ) : (
          <ul>
            {conversations.map((conversation) => (
              <Row
                key={conversation.id}
                conversation={conversation}
                open={conversation.id === open}
                today={today}
              />
            ))}
          </ul>
        )}
      </nav>
      {!empty && <div className="chat-list-foot">{invite}</div>}
      {over === 'invite' && <InviteDialog onClose={close} />}
      {over === 'new' && <NewChatDialog onClose={close} onInvite={() => setOver('invite')} />}
      {over === 'menu' && <MenuDialog onClose={close} />}
    </div>
  );
};
