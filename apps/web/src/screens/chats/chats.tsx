import { useEffect } from 'react';
import { Outlet, useParams } from 'react-router';
import { useEngineSnapshot } from '../../app/engine-context.ts';
import { ChatList } from './chat-list.tsx';
import { Notices } from './notices.tsx';
import './chats.css';

/** The list beside the conversation, or one of them at a time where there is no room for both. */
export const Chats = () => {
  const { id } = useParams();
  const { conversations } = useEngineSnapshot();
  const unread = conversations.reduce((sum, conversation) => sum + conversation.unread, 0);

  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Sotto` : 'Sotto';
  }, [unread]);

  return (
    <div className="chats">
      <Notices />
      <main className="chats-panes" data-open={id === undefined ? 'list' : 'conversation'}>
        <ChatList open={id} />
        <div className="chats-main">
          <Outlet />
        </div>
      </main>
    </div>
  );
};
