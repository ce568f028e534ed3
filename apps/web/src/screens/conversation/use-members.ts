import type { ConversationSummary, GroupView, Person } from '@sotto/engine/views';
import { useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';

const NOBODY: readonly Person[] = [];

/** Who may be named in a conversation: the others of a group. Between two everybody knows who is meant. */
export const useMembers = ({ id, group }: ConversationSummary): readonly Person[] => {
  const engine = useEngine();
  const isGroup = group !== undefined;
  const [members, setMembers] = useState(NOBODY);
  useEffect(() => {
    if (!isGroup) return undefined;
    let current = true;
    let view: GroupView | undefined;
    const look = (): void => {
      const me = engine.getSnapshot().me?.account;
      const all = view?.getSnapshot().people ?? [];
      setMembers(all.map(({ person }) => person).filter(({ account }) => account !== me));
    };
    engine.openGroup(id).then(
      (opened) => {
        if (!current) return opened?.close();
        view = opened;
        opened?.subscribe(look);
        look();
      },
      // Nobody is offered then.
      () => undefined,
    );
    return () => {
      current = false;
      view?.close();
    };
  }, [engine, id, isGroup]);
  return members;
};
