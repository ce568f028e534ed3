import { afterEach, expect, test, vi } from 'vitest';
import { noteReplaced } from './replaced.ts';
import { watchUpdates } from './updates.ts';

const register = vi.hoisted(() => vi.fn(() => Promise.resolve()));
vi.mock('workbox-window', () => ({
  Workbox: class {
    addEventListener = vi.fn();
    register = register;
  },
}));
vi.mock('./replaced.ts', () => ({ noteReplaced: vi.fn() }));

afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.clearAllMocks();
});

/** A page that no service worker controls; returns what another does that takes over. */
const open = async (active: object | null): Promise<() => void> => {
  let takeOver = (): void => undefined;
  const registration = { active };
  vi.stubEnv('PROD', true);
  vi.stubGlobal('document', { addEventListener: () => undefined });
  vi.stubGlobal('navigator', {
    serviceWorker: {
      controller: null,
      getRegistration: async () => registration,
      addEventListener: (_: string, heard: () => void) => {
        takeOver = heard;
      },
    },
  });
  // What is registered for the first time may be active at once.
  register.mockImplementation(async () => {
    registration.active ??= {};
  });
  watchUpdates((url) => url);
  await vi.waitFor(() => expect(register).toHaveBeenCalled());
  return takeOver;
};

test('the first service worker of all takes the page as it is, and the next replaces it', async () => {
  const takeOver = await open(null);
  takeOver();
  expect(noteReplaced).not.toHaveBeenCalled();
  takeOver();
  expect(noteReplaced).toHaveBeenCalledOnce();
});

test('a page that was loaded past the active one is replaced by its successor', async () => {
  const takeOver = await open({});
  takeOver();
  expect(noteReplaced).toHaveBeenCalledOnce();
});
