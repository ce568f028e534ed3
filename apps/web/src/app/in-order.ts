/** Runs one step after another, in the order in which they come; one that fails holds nothing up. */
export const inOrder = (): ((step: () => Promise<void>) => void) => {
  let last = Promise.resolve();
  return (step) => {
    last = last.then(step).catch(() => undefined);
  };
};
