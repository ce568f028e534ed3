import { HashRouter } from 'react-router';
import { language, t } from '../i18n/i18n.ts';
import type { Updates } from '../platform/updates.ts';
import { Broken, ObstacleScreen, Wiped } from '../screens/trouble/trouble.tsx';
import { UpdatePrompt } from '../screens/update/update-prompt.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { EngineContext } from './engine-context.ts';
import { ErrorBoundary } from './error-boundary.tsx';
import { Screens } from './screens.tsx';
import type { Session } from './session.ts';
import { useView } from './use-view.ts';
import './app.css';

const Stage = ({ session }: { session: Session }) => {
  const state = useView(session);
  switch (state.at) {
    case 'starting':
      return (
        <main className="app-center">
          <Spinner label={t('app.opening')} />
        </main>
      );
    case 'obstacle':
      return <ObstacleScreen obstacle={state.obstacle} />;
    case 'wiped':
      return <Wiped onBeginAgain={session.beginAgain} />;
    case 'broken':
      return <Broken reason={state.reason} />;
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
      <Stage session={session} />
    </div>
  </div>
);
