import type { ConversationId } from '@sotto/contract/ids';
import type { ConversationView } from '@sotto/engine/views';
import { useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { isAttended, onAttention } from '../../platform/attention.ts';

export type Opened = 'opening' | 'missing' | { failed: string } | { view: ConversationView };

/** Opens a conversation for as long as the component stands. */
export const useConversation = (id: ConversationId): Opened => {
  const engine = useEngine();
  const [opened, setOpened] = useState<Opened>('opening');

  useEffect(() => {
    let current = true;
    let view: ConversationView | undefined;
    engine.openConversation(id).then(
      (found) => {
        if (!current) return found?.close();
        view = found;
        setOpened(found ? { view: found } : 'missing');
      },
      (error: unknown) => current && setOpened({ failed: explain(error) }),
    );
    return () => {
      current = false;
      view?.close();
    };
  }, [engine, id]);

  return opened;
};

/** Says "read" of what came in, as soon as somebody looks at this page and at its end. */
export const useMarkRead = (id: ConversationId, unread: number, atEnd: boolean): void => {
  const engine = useEngine();
  useEffect(() => {
    if (unread === 0 || !atEnd) return undefined;
    const look = (): void => {
      // Refused while the store has trouble: the engine tells of that, and the next look tries again.
      if (isAttended()) engine.markRead(id).catch(() => undefined);
    };
    look();
    return onAttention(look);
  }, [engine, id, unread, atEnd]);
};
