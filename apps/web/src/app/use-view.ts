import type { View } from '@sotto/engine/views';
import { useCallback, useSyncExternalStore } from 'react';

/** What a view shows now; renders again when it changes. */
export const useView = <S>(view: View<S>): S =>
  useSyncExternalStore(
    useCallback((listener: () => void) => view.subscribe(listener), [view]),
    () => view.getSnapshot(),
  );
