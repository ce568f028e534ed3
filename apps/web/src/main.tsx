import './jitless.ts';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import { followLanguage } from './app/follow-language.ts';
import { createSession } from './app/session.ts';
// oxlint-disable-next-line import/default -- made by Vite
import workerUrl from './engine-worker.ts?worker&url';
import { askToSync } from './platform/background-sync.ts';
import { watchInstall } from './platform/install.ts';
import { leavingChannel } from './platform/leaving.ts';
import { applyPreferences } from './platform/preferences.ts';
import { trustScripts } from './platform/script-url.ts';
import { askToPersist, forgetAccount, hadAccount, noteAccount, persisted } from './platform/storage.ts';
import { findObstacle } from './platform/support.ts';
import { fitAboveKeyboard } from './platform/visible-height.ts';
import { SERVICE_WORKER, watchUpdates } from './platform/updates.ts';
import { startEngine } from './platform/worker.ts';
import './styles/tokens.css';
import './styles/base.css';

const trust = trustScripts([workerUrl, SERVICE_WORKER]);
const session = createSession({
  findObstacle,
  openEngine: () => startEngine(trust(workerUrl)),
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
await followLanguage();
createRoot(document.getElementById('root')!).render(<App session={session} updates={watchUpdates(trust)} />);
