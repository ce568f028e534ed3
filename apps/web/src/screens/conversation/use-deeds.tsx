import type { AccountId, ConversationId } from '@sotto/contract/ids';
import type { ChatMessage, ConversationSummary, ConversationView } from '@sotto/engine/views';
import { Suspense, useCallback, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { noteEmoji } from '../../platform/recent-emoji.ts';
import { Coming } from '../../ui/coming.tsx';
import { EmojiPicker } from '../../ui/emoji-picker.tsx';
import { later } from '../../ui/later.ts';
import type { MenuPlace } from '../../ui/menu.tsx';
import type { MessageAsk, MessageDeeds, Rights } from './message-deeds.ts';
import type { RowDeeds } from './message-row.tsx';
import type { Writing } from './use-writing.ts';

const MessageActions = later(() => import('./message-actions.tsx'), 'MessageActions');
const MessageDialog = later(() => import('./message-dialogs.tsx'), 'MessageDialog');

const ForwardDialog = later(() => import('./forward-dialog.tsx'), 'ForwardDialog');

/** A menu or picker, and what had the focus before it. */
interface OpenFor {
  message: ChatMessage;
  place: MenuPlace;
  before: Element | null;
}

interface DeedsProps {
  summary: ConversationSummary;
  view: ConversationView;
  writing: Writing;
  rights: Rights;
  onJump(id: string): void;
}

/** What can be done with messages, and the menu or dialog that is open for one. */
export const useDeeds = ({ summary, view, writing, rights, onJump }: DeedsProps) => {
  const engine = useEngine();
  const navigate = useNavigate();
  const [menu, setMenu] = useState<OpenFor>();
  const [picker, setPicker] = useState<OpenFor>();
  const [asked, setAsked] = useState<{ id: string; ask: MessageAsk }>();
  const { messages, people } = useView(view);
  const { id, peer } = summary;
  const { write: writes, react: reacts } = rights;
  const { complain, say, startReply, startEdit, takeBack } = writing;

  const deeds = useMemo((): RowDeeds & MessageDeeds => {
    const run = (work: Promise<void>): void => {
      work.catch((error: unknown) => complain(explain(error)));
    };
    const ask = (message: ChatMessage, what: MessageAsk): void => setAsked({ id: message.id, ask: what });
    const retry = (message: ChatMessage): void => run(engine.retry(id, message.id));
    const react = (message: ChatMessage, emoji: string | null): void => {
      if (emoji !== null) noteEmoji(emoji);
      run(engine.react(id, message.id, emoji));
    };
    return {
      onMenu: (message, place) =>
        message.note === undefined && setMenu({ message, place, before: document.activeElement }),
      onReact: (message, emoji) => reacts && react(message, emoji),
      onJump,
      onHistory: (message) => ask(message, 'history'),
      onRetry: retry,
      ...(writes && { onTakeBack: takeBack }),
      react,
      reactAt: (message, place) => setPicker({ message, place, before: document.activeElement }),
      reply: startReply,
      edit: startEdit,
      star: (message) => run(engine.star(id, message.id, !message.starred)),
      original: ({ reply: answered }) => answered && onJump(answered.id),
      retry,
      cancel: (message) => run(engine.cancel(id, message.id)),
      ask,
    };
  }, [engine, id, writes, reacts, complain, startReply, startEdit, takeBack, onJump]);

  // Who is not known yet stands among the members: a look at them begins no chat.
  const openPerson = useCallback(
    (account: AccountId): void => {
      const isKnown = engine.getSnapshot().conversations.some((one) => (one.id as string) === account);
      void navigate(`/about/${isKnown ? account : id}`);
    },
    [engine, navigate, id],
  );

  const remove = (message: ChatMessage, everywhere: boolean): void => {
    const work = everywhere
      ? engine.deleteForEveryone(id, [message.id])
      : engine.deleteForMe(id, [message.id]);
    work.catch((error: unknown) => complain(explain(error)));
  };

  const forwarded = (to: readonly ConversationId[]): void => {
    const [only] = to;
    if (to.length === 1 && only !== id) void navigate(`/c/${only}`);
    else if (to.length > 1) say(t('writing.forwarded', { count: to.length }));
  };

  // What is shown follows the message; it closes when that goes.
  const message = messages.find((candidate) => candidate.id === asked?.id);
  const open: ReactNode = (
    <Suspense fallback={<Coming />}>
      {menu && (
        <MessageActions
          message={menu.message}
          place={menu.place}
          rights={rights}
          deeds={deeds}
          onClose={() => setMenu(undefined)}
        />
      )}
      {picker && (
        <EmojiPicker
          place={picker.place}
          onChoose={(emoji) => {
            setPicker(undefined);
            deeds.react(picker.message, emoji);
          }}
          onClose={() => setPicker(undefined)}
          focusAfter={() => (picker.before instanceof HTMLElement ? picker.before : null)}
        />
      )}
      {asked?.ask === 'forward' && message && (
        <ForwardDialog message={message} onSent={forwarded} onClose={() => setAsked(undefined)} />
      )}
      {asked && asked.ask !== 'forward' && message && (
        <MessageDialog
          ask={asked.ask}
          message={message}
          peer={peer}
          people={people}
          group={summary.group}
          alone={peer.account === engine.getSnapshot().me?.account}
          onDelete={(everywhere) => remove(message, everywhere)}
          onClose={() => setAsked(undefined)}
        />
      )}
    </Suspense>
  );
  return { deeds, open, openPerson };
};
