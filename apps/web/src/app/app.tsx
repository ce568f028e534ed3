import { Suspense } from 'react';
import { HashRouter } from 'react-router';
import { language, t } from '../i18n/i18n.ts';
import type { Updates } from '../platform/updates.ts';
import { Broken, ObstacleScreen, Wiped } from '../screens/trouble/trouble.tsx';
import { UpdatePrompt } from '../screens/update/update-prompt.tsx';
import { later } from '../ui/later.ts';
import { EngineContext } from './engine-context.ts';
import { ErrorBoundary } from './error-boundary.tsx';
import { Screens } from './screens.tsx';
import { SessionContext } from './session-context.ts';
import type { Session } from './session.ts';
import { useView } from './use-view.ts';
import { Waiting } from './waiting.tsx';
import './app.css';

const Left = later(() => import('../screens/trouble/left.tsx'), 'Left');

const Stage = ({ session }: { session: Session }) => {
  const state = useView(session);
  switch (state.at) {
    case 'starting':
      return <Waiting as="main" label={t('app.opening')} />;
    case 'leaving':
      return <Waiting as="main" label={t('app.leaving')} />;
    case 'left':
      return (
        <Suspense fallback={<Waiting as="main" label={t('app.leaving')} />}>
          <Left told={state.told} />
        </Suspense>
      );
    case 'obstacle':
      return <ObstacleScreen obstacle={state.obstacle} />;
    case 'wiped':
      return <Wiped onBeginAgain={session.beginAgain} />;
    case 'broken':
      return <Broken reason={state.reason} onLeave={() => void session.leave()} />;
    case 'open':
      return (
        <EngineContext value={state.engine}>
          <ErrorBoundary instead={<Broken reason="draw" />}>
            <HashRouter>
              <Screens />
            </HashRouter>
          </ErrorBoundary>
        </EngineContext>
      );
  }
};

/** Drawn anew as a whole when the language changes: words are looked up while drawing. */
export const App = ({ session, updates }: { session: Session; updates: Updates }) => (
  <div className="app" key={useView(language).language}>
    <UpdatePrompt updates={updates} />
    <div className="app-stage">
      <SessionContext value={session}>
        <Stage session={session} />
      </SessionContext>
    </div>
  </div>
);
