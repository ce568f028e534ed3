import { Suspense, useEffect } from 'react';
import { Outlet, useLocation, useParams } from 'react-router';
import { useEnginePart } from '../../app/engine-context.ts';
import { useNow } from '../../app/use-now.ts';
import { Waiting } from '../../app/waiting.tsx';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { preferences } from '../../platform/preferences.ts';
import { Shortcuts } from '../keys/shortcuts.tsx';
import { ChatList } from './chat-list.tsx';
import { Notices } from './notices.tsx';
import { unreadToTell } from './sections.ts';
import './chats.css';

/** What stands in the place of a conversation. */
const PAGES: readonly string[] = ['/new-group', '/requests', '/settings', '/share', '/starred'];

/** The list beside the conversation, or one of them at a time where there is no room for both. */
export const Chats = () => {
  const { id } = useParams();
  const conversations = useEnginePart('conversations');
  const { pathname } = useLocation();
  const { mentions } = useView(preferences);
  const unread = unreadToTell(conversations, { now: useNow(), mentions });
  const beside = id !== undefined || PAGES.includes(pathname);

  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Sotto` : 'Sotto';
  }, [unread]);

  return (
    <div className="chats">
      <Notices />
      <Shortcuts />
      <main className="chats-panes" data-open={beside ? 'conversation' : 'list'}>
        <ChatList open={id} />
        <div className="chats-main">
          <Suspense fallback={<Waiting label={t('app.loading')} />}>
            <Outlet />
          </Suspense>
        </div>
      </main>
    </div>
  );
};
