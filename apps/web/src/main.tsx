import './jitless.ts';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import { followLanguage } from './app/follow-language.ts';
import { createSession } from './app/session.ts';
import { askToSync } from './platform/background-sync.ts';
import { watchInstall } from './platform/install.ts';
import { leavingChannel } from './platform/leaving.ts';
import { applyPreferences } from './platform/preferences.ts';
import { askToPersist, forgetAccount, hadAccount, noteAccount, persisted } from './platform/storage.ts';
import { findObstacle } from './platform/support.ts';
import { fitAboveKeyboard } from './platform/visible-height.ts';
import { watchUpdates } from './platform/updates.ts';
import { connectEngine } from './platform/worker.ts';
import { warmRows } from './screens/chats/warm.ts';
import { broken, engineWorker, trust } from './start.ts';
import './styles/tokens.css';
import './styles/base.css';

const session = createSession({
  findObstacle,
  openEngine: () => connectEngine(engineWorker, broken),
  endEngine: () => engineWorker.terminate(),
  hadAccount,
  noteAccount,
  forgetAccount,
  askToPersist,
  persisted,
  askToSync: () => void askToSync(),
  leaving: leavingChannel(),
  wipe: async () => (await import('./platform/wipe.ts')).wipe(),
  reload: () => location.replace('/'),
});

applyPreferences();
fitAboveKeyboard();
watchInstall();
void session.start();
// No `await` here: what is loaded meanwhile may import what this file is built into.
void followLanguage().then(() => {
  const root = createRoot(document.getElementById('root')!);
  root.render(<App session={session} updates={watchUpdates(trust)} />);
  // While the engine opens.
  if (hadAccount()) setTimeout(warmRows);
});
