import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const reload = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  reload.mockClear();
  vi.stubGlobal('location', { reload });
  vi.stubGlobal('document', {
    visibilityState: 'hidden',
    addEventListener: () => undefined,
    querySelectorAll: () => [],
    querySelector: () => null,
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a page that nobody looks at reloads', async () => {
  const { noteReplaced } = await import('./replaced.ts');
  noteReplaced();
  await vi.advanceTimersByTimeAsync(2000);
  expect(reload).toHaveBeenCalledOnce();
});

test('not while something that stands in no field is not stored', async () => {
  const { noteReplaced, stayWhile } = await import('./replaced.ts');
  let unstored = false;
  stayWhile(() => unstored);
  noteReplaced();
  unstored = true;
  await vi.advanceTimersByTimeAsync(2000);
  expect(reload).not.toHaveBeenCalled();
  noteReplaced();
  // What is stored in time is no reason to stay.
  unstored = false;
  await vi.advanceTimersByTimeAsync(2000);
  expect(reload).toHaveBeenCalledOnce();
});
