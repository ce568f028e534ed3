import { createEmitter } from './emitter.ts';
import type { View } from './views.ts';

export interface Box<S> extends View<S> {
  set(next: S): void;
}

/** The smallest view: holds a value and tells its subscribers when it was replaced. */
export const createBox = <S>(initial: S): Box<S> => {
  const { emit, subscribe } = createEmitter();
  let current = initial;
  return {
    getSnapshot: () => current,
    subscribe,
    set: (next) => {
      if (Object.is(next, current)) return;
      current = next;
      emit();
    },
  };
};
