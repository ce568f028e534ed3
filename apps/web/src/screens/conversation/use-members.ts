import type { ConversationSummary, GroupView, Person } from '@sotto/engine/views';
import { useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';

const NOBODY: readonly Person[] = [];

interface Members {
  /** Who may be named there: the others of a group. Between two everybody knows who is meant. */
  people: readonly Person[];
  /** Keys that go out to them before what is written next. */
  keysLeft: number | undefined;
}

/** Who is in the group that a conversation is. */
export const useMembers = ({ id, group }: ConversationSummary): Members => {
  const engine = useEngine();
  const isGroup = group !== undefined;
  const [people, setPeople] = useState(NOBODY);
  const [keysLeft, setKeysLeft] = useState<number>();
  useEffect(() => {
    if (!isGroup) return undefined;
    let current = true;
    let view: GroupView | undefined;
    const look = (): void => {
      const me = engine.getSnapshot().me?.account;
      const shown = view?.getSnapshot();
      const all = shown?.people ?? [];
      setPeople(all.map(({ person }) => person).filter(({ account }) => account !== me));
      setKeysLeft(shown?.keysLeft);
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
  return { people, keysLeft };
};
