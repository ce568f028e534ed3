import { Suspense, useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { useEngine } from '../../app/engine-context.ts';
import { isKey, isOverlaid } from '../../app/keys.ts';
import { arrangeChats } from '../chats/sections.ts';
import { Coming } from '../../ui/coming.tsx';
import { later } from '../../ui/later.ts';

const KeysDialog = later(() => import('./keys-dialog.tsx'), 'KeysDialog');

const isWriting = (): boolean => document.activeElement?.matches('input, textarea, select') === true;

/** The chat that is open, or was asked for and is on its way. */
const chatInAddress = (): string | undefined => /^#\/(?:c|about)\/([^/?]+)/.exec(location.hash)?.[1];

/** The keys that work everywhere in the chats, and their list. */
export const Shortcuts = () => {
  const engine = useEngine();
  const navigate = useNavigate();
  const [shown, setShown] = useState(false);

  useEffect(() => {
    const searchAll = (): void => {
      const field = (): HTMLElement | null => document.querySelector('.chat-list input[type="search"]');
      // Where there is room for one of them, the list comes first.
      if (field()?.checkVisibility() === false) void navigate('/');
      requestAnimationFrame(() => field()?.focus());
    };
    const goBy = (step: number): void => {
      const chats = arrangeChats(engine.getSnapshot().conversations, false).flatMap((entry) =>
        entry.kind === 'chat' ? [entry.conversation.id as string] : [],
      );
      const at = chats.indexOf(chatInAddress() ?? '');
      const next = chats[at < 0 && step < 0 ? chats.length - 1 : at + step];
      if (next !== undefined) void navigate(`/c/${next}`);
    };
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing || isOverlaid()) return;
      const isPlain = !event.ctrlKey && !event.metaKey;
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (event.key === '?' && isPlain && !event.altKey && !isWriting()) setShown(true);
      else if (event.key === '/' && !isPlain && !event.altKey) setShown(true);
      else if (isKey(event, 'k')) searchAll();
      else if (step !== undefined && event.altKey && isPlain && !event.shiftKey) goBy(step);
      else return;
      event.preventDefault();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [engine, navigate]);

  return (
    shown && (
      <Suspense fallback={<Coming />}>
        <KeysDialog onClose={() => setShown(false)} />
      </Suspense>
    )
  );
};
