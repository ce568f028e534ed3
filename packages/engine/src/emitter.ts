/** Tells everybody, also after one that throws; what they threw is reported as nobody's. */
export const tellAll = <A extends unknown[]>(listeners: Iterable<(...args: A) => void>, ...args: A): void => {
  for (const listener of listeners) {
    try {
      listener(...args);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
};

/** Who wants to hear that something changed. */
export const createEmitter = () => {
  const listeners = new Set<() => void>();
  return {
    emit(): void {
      tellAll(listeners);
    },
    subscribe(listener: () => void): () => void {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
};
