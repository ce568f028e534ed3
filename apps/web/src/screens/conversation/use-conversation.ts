import type { ConversationId } from '@sotto/contract/ids';
import type { ConversationView } from '@sotto/engine/views';
import { useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';

export type Opened = 'opening' | 'missing' | { failed: string } | { view: ConversationView };

/** Opens a conversation for as long as the component stands: at a message, or where the unread ones begin. */
export const useConversation = (id: ConversationId, message: string | undefined): Opened => {
  const engine = useEngine();
  const [opened, setOpened] = useState<Opened>('opening');
  // Another message of the same conversation is a place to go to, not another view.
  const [at] = useState(message ?? 'unread');

  useEffect(() => {
    let current = true;
    let view: ConversationView | undefined;
    engine.openConversation(id, { at }).then(
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
  }, [engine, id, at]);

  return opened;
};
