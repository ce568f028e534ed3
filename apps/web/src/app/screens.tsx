import { useEffect, useState } from 'react';
import { Route, Routes } from 'react-router';
import { hasNetwork, onNetwork } from '../platform/attention.ts';
import { AddByLink } from '../screens/welcome/add-by-link.tsx';
import { Welcome } from '../screens/welcome/welcome.tsx';
import { Chats } from '../screens/chats/chats.tsx';
import { NothingOpen } from '../screens/chats/nothing-open.tsx';
import { ConversationRoute } from '../screens/conversation/conversation-route.tsx';
import { Removed } from '../screens/trouble/trouble.tsx';
import { useEngine, useEngineSnapshot } from './engine-context.ts';

/** What stands on an open engine: the way to an account, or the chats. */
export const Screens = () => {
  const engine = useEngine();
  const { phase } = useEngineSnapshot();
  // Set by the welcome screen itself, so that it can say where to go on before it makes way.
  const [inside, setInside] = useState(phase === 'ready' || phase === 'removed');
  const [readOnly, setReadOnly] = useState(false);

  useEffect(() => onNetwork(() => hasNetwork() && engine.nudge()), [engine]);

  if (!inside) return <Welcome onDone={() => setInside(true)} />;
  if (phase === 'removed' && !readOnly) return <Removed onRead={() => setReadOnly(true)} />;
  return (
    <Routes>
      <Route path="/join/*" element={<AddByLink />} />
      <Route path="/add/*" element={<AddByLink />} />
      <Route element={<Chats />}>
        <Route path="/c/:id" element={<ConversationRoute />} />
        <Route path="*" element={<NothingOpen />} />
      </Route>
    </Routes>
  );
};
