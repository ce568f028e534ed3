import type { ChatMessage, ConversationSnapshot, ConversationView } from '@sotto/engine/views';
import { useEffect, useRef, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { inOrder } from '../../app/in-order.ts';
import { plainText } from '../../app/plain-text.tsx';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { authorName } from './names.ts';
import { noteWords } from './note-words.ts';

/** Of more at once, how many there are and the newest one are told. */
const MOST = 5;

type Stretch = Pick<ConversationSnapshot, 'messages' | 'hasNewer'>;

/** What others have added at the end since then; never history. */
export const arrivals = (before: Stretch, { messages, hasNewer }: Stretch): readonly ChatMessage[] => {
  if (before.hasNewer || hasNewer) return [];
  const known = new Set(before.messages.map(({ id }) => id));
  const last = messages.findLastIndex(({ id }) => known.has(id));
  // Another stretch of the conversation.
  if (last < 0 && known.size > 0) return [];
  return messages.slice(last + 1).filter(({ mine, deleted }) => !mine && !deleted);
};

const wordsOf = async (
  message: ChatMessage,
  { peer, people }: ConversationSnapshot,
  me: string | undefined,
): Promise<string> => {
  if (message.note) return noteWords(message.note, message, { people, me });
  const text = message.newer ? t('app.newerMessage') : await plainText(message.text);
  return t('conversation.announced', { name: authorName(message, peer, people), text });
};

interface Announcement {
  id: string;
  words: string;
}

/** Words for screen readers about each message that comes in: each is new, also where it says the same as the one before. */
export const useAnnouncements = (view: ConversationView): readonly Announcement[] => {
  const snapshot = useView(view);
  const me = useEngine().getSnapshot().me?.account;
  const before = useRef(snapshot);
  const [inTurn] = useState(inOrder);
  const [told, setTold] = useState<readonly Announcement[]>([]);
  useEffect(() => {
    const came = arrivals(before.current, snapshot);
    before.current = snapshot;
    const newest = came.at(-1);
    if (!newest) return;
    const many = came.length > MOST;
    const say = async (): Promise<void> => {
      const words = await Promise.all(
        (many ? [newest] : came).map(async (one) => ({
          id: one.id,
          words: await wordsOf(one, snapshot, me),
        })),
      );
      const count = { id: `to ${newest.id}`, words: t('conversation.newMessages', { count: came.length }) };
      const all = [...(many ? [count] : []), ...words.filter((one) => one.words !== '')];
      setTold((now) => [...now, ...all].slice(-MOST));
    };
    inTurn(say);
  }, [snapshot, me, inTurn]);
  return told;
};
