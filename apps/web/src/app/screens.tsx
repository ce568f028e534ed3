import { Suspense, useEffect, useState } from 'react';
import { Route, Routes } from 'react-router';
import { t } from '../i18n/i18n.ts';
import { hasNetwork, isAttended, onAttention, onNetwork } from '../platform/attention.ts';
import { whenIdle } from '../platform/idle.ts';
import { Chats } from '../screens/chats/chats.tsx';
import { NothingOpen } from '../screens/chats/nothing-open.tsx';
import { Removed } from '../screens/trouble/trouble.tsx';
import { later } from '../ui/later.ts';
import { useEngine, useEnginePart } from './engine-context.ts';
import { useSession } from './session-context.ts';
import { Waiting } from './waiting.tsx';

const loadConversation = () => import('../screens/conversation/conversation-route.tsx');

// What is not on the way to the list is loaded when it is shown.
const AddByLink = later(() => import('../screens/welcome/add-by-link.tsx'), 'AddByLink');
const ConversationRoute = later(loadConversation, 'ConversationRoute');
const AboutRoute = later(() => import('../screens/people/about-route.tsx'), 'AboutRoute');
const NewGroup = later(() => import('../screens/groups/new-group.tsx'), 'NewGroup');
const JoinGroup = later(() => import('../screens/groups/join-group.tsx'), 'JoinGroup');
const Requests = later(() => import('../screens/requests/requests.tsx'), 'Requests');
const StarredMessages = later(() => import('../screens/starred/starred.tsx'), 'StarredMessages');
const Welcome = later(() => import('../screens/welcome/welcome.tsx'), 'Welcome');
const Share = later(() => import('../screens/share/share.tsx'), 'Share');
const ToSelf = later(() => import('../screens/share/to-self.tsx'), 'ToSelf');
const SettingsPage = later(() => import('../screens/settings/settings.tsx'), 'SettingsPage');

/** Says that the person is there while they look at this page. Who hears of it is a setting of theirs. */
const usePresence = (ready: boolean): void => {
  const engine = useEngine();
  useEffect(() => {
    if (!ready) return undefined;
    // Refused while the store has trouble, which is told of elsewhere.
    const tell = (): void => void engine.present(isAttended()).catch(() => undefined);
    tell();
    return onAttention(tell);
  }, [engine, ready]);
};

/** What is told outside of the page is nothing to wait for. */
const useAnnouncing = (inside: boolean): void => {
  const engine = useEngine();
  useEffect(() => {
    if (!inside) return undefined;
    // Without it the app goes on as before.
    const stop = import('./announce.ts').then(({ announce }) => announce(engine)).catch(() => undefined);
    return () => void stop.then((end) => end?.());
  }, [engine, inside]);
};

/** What stands on an open engine: the way to an account, or the chats. */
export const Screens = () => {
  const engine = useEngine();
  const phase = useEnginePart('phase');
  const { leave } = useSession();
  // Set by the welcome screen itself, so that it can say where to go on before it makes way.
  const [inside, setInside] = useState(phase === 'ready' || phase === 'removed');
  const [readOnly, setReadOnly] = useState(false);

  usePresence(phase === 'ready');
  // By the time somebody has chosen a chat, the conversation is there.
  useEffect(() => {
    // Asked for again when one is opened.
    whenIdle(() => void loadConversation().catch(() => undefined));
  }, []);
  useAnnouncing(inside);
  useEffect(() => onNetwork(() => hasNetwork() && engine.nudge()), [engine]);

  if (!inside)
    return (
      <Suspense fallback={<Waiting as="main" label={t('app.loading')} />}>
        <Welcome onDone={() => setInside(true)} />
      </Suspense>
    );
  if (phase === 'removed' && !readOnly)
    return <Removed onRead={() => setReadOnly(true)} onLeave={() => void leave()} />;
  return (
    <Suspense fallback={<Waiting as="main" label={t('app.loading')} />}>
      <Routes>
        <Route path="/join/*" element={<AddByLink />} />
        <Route path="/add/*" element={<AddByLink />} />
        <Route path="/group/*" element={<JoinGroup />} />
        <Route element={<Chats />}>
          <Route path="/c/:id/:message?" element={<ConversationRoute />} />
          <Route path="/about/:id" element={<AboutRoute />} />
          <Route path="/new-group" element={<NewGroup />} />
          <Route path="/requests" element={<Requests />} />
          <Route path="/starred" element={<StarredMessages />} />
          <Route path="/settings" element={<SettingsPage />} />
          <Route path="/share" element={<Share />} />
          <Route path="/me" element={<ToSelf />} />
          <Route path="*" element={<NothingOpen />} />
        </Route>
      </Routes>
    </Suspense>
  );
};
