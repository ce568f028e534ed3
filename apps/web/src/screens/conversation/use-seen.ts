import type { ConversationSummary, ConversationView } from '@sotto/engine/views';
import { useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { useView } from '../../app/use-view.ts';
import { isAttended, onAttention } from '../../platform/attention.ts';

interface Sight {
  /** The newest message is in sight. */
  atEnd: boolean;
  /** The id of the last one that is. */
  lastSeen: string | undefined;
}

/** Says "read" of what came in as far as somebody who looks at this page has come. Not of a stranger's: see `accept`. */
export const useMarkRead = (
  { id, unread }: ConversationSummary,
  view: ConversationView,
  { atEnd, lastSeen }: Sight,
): void => {
  const engine = useEngine();
  const { messages } = useView(view);
  const place = messages.findIndex((message) => message.id === lastSeen);
  const fresh = messages.slice(0, place + 1).some((message) => message.unread);
  const upTo = fresh ? lastSeen : undefined;
  useEffect(() => {
    if (unread === 0 || (!atEnd && upTo === undefined)) return undefined;
    const look = (): void => {
      // Refused while the store has trouble: the engine tells of that, and the next look tries again.
      if (isAttended()) engine.markRead(id, atEnd ? undefined : upTo).catch(() => undefined);
    };
    look();
    return onAttention(look);
  }, [engine, id, unread, atEnd, upTo]);
};

/** Where the line stands above what is new: at the first unread message when the conversation opens, or while nobody looks. */
export const useNewFrom = (view: ConversationView): string | undefined => {
  const { firstUnread, messages } = useView(view);
  const newest = messages.at(-1);
  const [newFrom, setNewFrom] = useState(firstUnread);
  useEffect(() => {
    // Who writes has seen what is above.
    if (newest?.mine) setNewFrom(undefined);
    else if (firstUnread !== undefined && !isAttended()) setNewFrom((before) => before ?? firstUnread);
  }, [firstUnread, newest?.id, newest?.mine]);
  return newFrom;
};
