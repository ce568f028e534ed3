import type { ConversationSummary } from '@sotto/engine/views';
import { startTransition, Suspense, useCallback, useEffect, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { useNow } from '../../app/use-now.ts';
import { useToday } from '../../app/use-today.ts';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { installOffer } from '../../platform/install.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Bar } from '../../ui/bar.tsx';
import { Button, IconButton } from '../../ui/button.tsx';
import { Coming } from '../../ui/coming.tsx';
import { InviteIcon, MenuIcon, PencilIcon } from '../../ui/icons.tsx';
import { later } from '../../ui/later.ts';
import { Menu } from '../../ui/menu.tsx';
import type { MenuPlace } from '../../ui/menu.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { ConfirmBlock } from '../requests/confirm-block.tsx';
import { ChatRows } from './chat-rows.tsx';
import { RowMenu } from './row-menu.tsx';
import { SearchResults } from './search-results.tsx';
import { arrangeChats } from './sections.ts';
import './chat-list.css';

const ContactLinkDialog = later(() => import('../people/contact-link-dialog.tsx'), 'ContactLinkDialog');
const InviteDialog = later(() => import('./invite-dialog.tsx'), 'InviteDialog');
const NewChatDialog = later(() => import('../people/new-chat-dialog.tsx'), 'NewChatDialog');
const InstallCard = later(() => import('../install/install-card.tsx'), 'InstallCard');

/** What is shown over the list; one thing at a time. */
type Over =
  | { at: 'invite' | 'new' | 'link' }
  | { at: 'menu'; place: MenuPlace }
  | { at: 'row'; place: MenuPlace; conversation: ConversationSummary }
  | { at: 'block'; conversation: ConversationSummary };

interface OverListProps {
  over: Over;
  onOver(over: Over | undefined): void;
  onFailure(error: unknown): void;
}

const OverList = ({ over, onOver, onFailure }: OverListProps) => {
  const engine = useEngine();
  const navigate = useNavigate();
  const close = (): void => onOver(undefined);
  const go = (path: string): void => void navigate(path);
  switch (over.at) {
    case 'invite':
      return <InviteDialog onClose={close} />;
    case 'new':
      return <NewChatDialog onClose={close} onInvite={() => onOver({ at: 'invite' })} />;
    case 'link':
      return <ContactLinkDialog onClose={close} />;
    case 'row':
      return (
        <RowMenu
          conversation={over.conversation}
          place={over.place}
          onClose={close}
          onBlock={() => onOver({ at: 'block', conversation: over.conversation })}
          onFailure={onFailure}
        />
      );
    case 'block':
      return (
        <ConfirmBlock
          name={over.conversation.peer.name}
          onConfirm={() => void engine.block(over.conversation.id).catch(onFailure)}
          onClose={close}
        />
      );
    case 'menu':
      return (
        <Menu
          label={t('chats.menu')}
          place={over.place}
          onClose={close}
          entries={[
            { label: t('chats.newGroup'), onChoose: () => go('/new-group') },
            { label: t('people.contactLink'), onChoose: () => onOver({ at: 'link' }) },
            {
              label: t('chats.noteToSelf'),
              onChoose: () => void engine.noteToSelf().then((id) => go(`/c/${id}`), onFailure),
            },
            { label: t('chats.starred'), onChoose: () => go('/starred') },
            { label: t('chats.settings'), onChoose: () => go('/settings') },
          ]}
        />
      );
  }
};

const Head = ({ onOver }: { onOver(over: Over): void }) => {
  const me = useEnginePart('me');
  const phase = useEnginePart('phase');
  return (
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
      <IconButton
        label={t('people.newChat')}
        onClick={() => onOver({ at: 'new' })}
        disabled={phase !== 'ready'}
      >
        <PencilIcon />
      </IconButton>
      <IconButton
        label={t('chats.menu')}
        onClick={({ currentTarget }) => onOver({ at: 'menu', place: currentTarget })}
        aria-haspopup="menu"
      >
        <MenuIcon />
      </IconButton>
    </header>
  );
};

/** False in the first picture: the rows are drawn right after it, in pieces that leave a slow phone room for a finger. */
const useDrawn = (): boolean => {
  const [drawn, setDrawn] = useState(false);
  useEffect(() => startTransition(() => setDrawn(true)), []);
  return drawn;
};

export const ChatList = ({ open }: { open: string | undefined }) => {
  const conversations = useEnginePart('conversations');
  const me = useEnginePart('me');
  const phase = useEnginePart('phase');
  const { pathname } = useLocation();
  const today = useToday();
  const now = useNow();
  const [over, setOver] = useState<Over>();
  const [query, setQuery] = useState('');
  const drawn = useDrawn();
  const [archiveOpen, setArchiveOpen] = useState(false);
  const [problem, setProblem] = useState<string>();
  const empty = conversations.length === 0;
  const navigate = useNavigate();
  // Whoever has written or was written to may want to keep it.
  const offers = useView(installOffer) === 'prompt' && conversations.some(({ last }) => last);

  // Where a shortcut of the installed app leads to.
  useEffect(() => {
    if (pathname !== '/new' || phase !== 'ready') return;
    setOver({ at: 'new' });
    void navigate('/', { replace: true });
  }, [pathname, phase, navigate]);

  const onMenu = useCallback(
    (conversation: ConversationSummary, place: MenuPlace) => setOver({ at: 'row', place, conversation }),
    [],
  );
  const invite = (
    <Button
      look={empty ? 'main' : 'quiet'}
      onClick={() => setOver({ at: 'invite' })}
      disabled={phase !== 'ready'}
    >
      <InviteIcon />
      {t('people.invite')}
    </Button>
  );

  return (
    <div className="chat-list">
      <Head onOver={setOver} />
      {!empty && (
        <SearchField
          label={t('chats.search')}
          clear={t('chats.searchClear')}
          value={query}
          onChange={setQuery}
        />
      )}
      <div role="alert">
        {problem !== undefined && (
          <Bar
            look="grave"
            actions={
              <Button look="quiet" onClick={() => setProblem(undefined)}>
                {t('app.close')}
              </Button>
            }
          >
            {problem}
          </Bar>
        )}
      </div>
      <nav className="chat-list-nav" aria-label={t('chats.title')}>
        <h1 className="sr-only">{t('chats.title')}</h1>
        {empty && (
          <div className="chat-list-empty">
            <p className="chat-list-name">{t('chats.nobody')}</p>
            <p>{t('chats.nobodySays')}</p>
            {invite}
          </div>
        )}
        {!empty && query.trim() !== '' && (
          <SearchResults query={query} conversations={conversations} me={me?.account} today={today} />
        )}
        {!empty && query.trim() === '' && (
          <ChatRows
            entries={drawn ? arrangeChats(conversations, archiveOpen) : []}
            open={open}
            requestsOpen={pathname === '/requests'}
            today={today}
            now={now}
            onFold={() => setArchiveOpen((before) => !before)}
            onMenu={onMenu}
          />
        )}
      </nav>
      {offers && (
        <Suspense fallback={null}>
          <InstallCard />
        </Suspense>
      )}
      {!empty && <div className="chat-list-foot">{invite}</div>}
      <Suspense fallback={<Coming />}>
        {over && <OverList over={over} onOver={setOver} onFailure={(error) => setProblem(explain(error))} />}
      </Suspense>
    </div>
  );
};
