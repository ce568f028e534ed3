/**
 * Runs `work`, which never throws, one at a time. A kick during a run makes one more run follow it: what changed after the run looked is
 * seen by the next, and no two runs ever overlap.
 */
export const createPump = (work: () => Promise<void>) => {
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  const run = async (): Promise<void> => {
    try {
      do {
        again = false;
        await work();
      } while (again && !stopped);
    } finally {
      // In the same step as the last look at `again`: a kick after it has to start a run of its own.
      running = undefined;
    }
  };

  return {
    kick(): void {
      if (stopped) return;
      again = true;
      running ??= run();
    },
    /** Ends after the run under way; resolves when none is. */
    async stop(): Promise<void> {
      stopped = true;
      await running;
    },
  };
};
