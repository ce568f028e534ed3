import type { ConversationId } from '@sotto/contract/ids';
import type { GroupView } from '@sotto/engine/views';
import { useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';

/** The members of a group, for as long as the component stands. */
export const useGroup = (id: ConversationId): GroupView | { failed: string } | undefined => {
  const engine = useEngine();
  const [group, setGroup] = useState<GroupView | { failed: string }>();
  useEffect(() => {
    let current = true;
    let view: GroupView | undefined;
    engine.openGroup(id).then(
      (opened) => {
        if (!current) return opened?.close();
        view = opened;
        setGroup(opened);
      },
      (error: unknown) => current && setGroup({ failed: explain(error) }),
    );
    return () => {
      current = false;
      view?.close();
    };
  }, [engine, id]);
  return group;
};
