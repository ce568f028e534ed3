import type { LeavingChannel, LeavingStep } from '../app/session.ts';

const KEY = 'sotto-leaving';
const STEPS: readonly string[] = ['begun', 'done'] satisfies LeavingStep[];

/** Among the tabs of this browser, which hear of what the others put there. */
export const leavingChannel = (): LeavingChannel => ({
  say(step) {
    try {
      localStorage.setItem(KEY, step);
      localStorage.removeItem(KEY);
    } catch {
      // Forbidden: the others find out by themselves that their store is gone.
    }
  },
  listen: (listener) =>
    window.addEventListener('storage', ({ key, newValue }) => {
      if (key === KEY && STEPS.includes(newValue ?? '')) listener(newValue as LeavingStep);
    }),
});
