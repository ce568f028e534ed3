import type { View } from '@sotto/engine/views';

export interface Box<S> extends View<S> {
  set(next: S): void;
}

/** The smallest View: holds a value and tells its subscribers when it was replaced. */
export const box = <S>(initial: S): Box<S> => {
  let current = initial;
  const listeners = new Set<() => void>();
  return {
    getSnapshot: () => current,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set: (next) => {
      if (Object.is(next, current)) return;
      current = next;
      for (const listener of listeners) listener();
    },
  };
};
