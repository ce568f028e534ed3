import type { ConversationSummary } from '@sotto/engine/views';
import { createRoot } from 'react-dom/client';
import { MemoryRouter } from 'react-router';
import { ChatRows } from '../src/screens/chats/chat-rows.tsx';
import { arrangeChats } from '../src/screens/chats/sections.ts';
import '../src/styles/tokens.css';
import '../src/styles/base.css';
import '../src/screens/chats/chat-list.css';

// A list of a thousand, drawn without an engine.
const chats = Array.from({ length: 1000 }, (_, index) => {
  const id = `person-${index}`;
  return {
    id,
    peer: { account: id, handle: id, name: `Person ${index}`, verified: false },
    unread: index % 3,
    mentioned: 0,
    typing: [],
    online: false,
    last: { text: `What ${index} said`, time: Date.now() - index * 60_000, mine: false, status: 'read' },
  } as unknown as ConversationSummary;
});

createRoot(document.getElementById('root')!).render(
  <MemoryRouter>
    <div className="chat-list" style={{ blockSize: '100vh' }}>
      <ChatRows
        entries={arrangeChats(chats, false)}
        open={undefined}
        requestsOpen={false}
        today={Date.now()}
        now={Date.now()}
        onFold={() => undefined}
        onMenu={() => undefined}
      />
    </div>
  </MemoryRouter>,
);
