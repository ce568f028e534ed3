import './jitless.ts';
import { createEngine } from '@sotto/engine/engine';
import { openStore } from '@sotto/store-idb/open-store';
import { createTransport } from '@sotto/transport/transport';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import { createSession } from './app/session.ts';
import { askToPersist, forgetAccount, hadAccount, noteAccount } from './platform/storage.ts';
import { createStoreLock } from './platform/store-lock.ts';
import { canKeepKeys, findObstacle } from './platform/support.ts';
import { watchUpdates } from './platform/updates.ts';
import './styles/tokens.css';
import './styles/base.css';

const session = createSession({
  findObstacle,
  canKeepKeys,
  lock: createStoreLock,
  openEngine: async () => {
    const store = await openStore();
    return createEngine({ store, transport: createTransport({ origin: location.origin }) });
  },
  hadAccount,
  noteAccount,
  forgetAccount,
  askToPersist,
});

createRoot(document.getElementById('root')!).render(<App session={session} updates={watchUpdates()} />);
void session.start();
