import type { Engine, EngineSnapshot } from '@sotto/engine/views';
import { expect, test, vi } from 'vitest';
import type { LockState } from '../platform/store-lock.ts';
import { box } from '../platform/view.ts';
import { createSession } from './session.ts';
import type { SessionParts } from './session.ts';

const snapshot = (phase: EngineSnapshot['phase']): EngineSnapshot => ({
  phase,
  connection: 'offline',
  catchingUp: true,
  conversations: [],
});

/** As much of an engine as a session looks at. */
const engineIn = (phase: EngineSnapshot['phase']) => {
  const state = box(snapshot(phase));
  const close = vi.fn(async () => undefined);
  const engine = { ...state, close } as unknown as Engine;
  return { engine, close, become: (next: EngineSnapshot['phase']) => state.set(snapshot(next)) };
};

const sessionWith = (engine: Engine, parts: Partial<SessionParts> = {}, free = true) => {
  let state: LockState = 'elsewhere';
  let lost = (): void => undefined;
  const noteAccount = vi.fn(() => undefined);
  const session = createSession({
    findObstacle: () => undefined,
    canKeepKeys: async () => true,
    lock: (onLost) => {
      lost = onLost;
      return {
        acquire: async () => {
          if (free) state = 'held';
          return free ? 'held' : 'elsewhere';
        },
        takeOver: async () => {
          state = 'held';
        },
        state: () => state,
      };
    },
    openEngine: async () => engine,
    hadAccount: () => false,
    noteAccount,
    forgetAccount: () => undefined,
    askToPersist: () => undefined,
    ...parts,
  });
  const steal = (): void => {
    state = 'lost';
    lost();
  };
  return { session, noteAccount, steal };
};

test('an account opens without a look at keys, and is noted', async () => {
  const { engine } = engineIn('ready');
  const { session, noteAccount } = sessionWith(engine, { canKeepKeys: async () => false });
  await session.start();
  expect(session.getSnapshot()).toEqual({ at: 'open', engine });
  expect(noteAccount).toHaveBeenCalledOnce();
});

test('an account that is made later is noted when it stands', async () => {
  const { engine, become } = engineIn('new');
  const { session, noteAccount } = sessionWith(engine);
  await session.start();
  become('joining');
  expect(noteAccount).not.toHaveBeenCalled();
  become('ready');
  expect(noteAccount).toHaveBeenCalledOnce();
});

test('an empty store where an account was is never shown as a new one', async () => {
  const { engine } = engineIn('new');
  const { session } = sessionWith(engine, { hadAccount: () => true });
  await session.start();
  expect(session.getSnapshot().at).toBe('wiped');
  session.beginAgain();
  expect(session.getSnapshot()).toEqual({ at: 'open', engine });
});

test('a browser that loses keys makes no account', async () => {
  const { session } = sessionWith(engineIn('new').engine, { canKeepKeys: async () => false });
  await session.start();
  expect(session.getSnapshot()).toEqual({ at: 'obstacle', obstacle: 'no-keys' });
});

test('another page keeps the store until it is taken over', async () => {
  const { engine } = engineIn('ready');
  const openEngine = vi.fn(async () => engine);
  const { session } = sessionWith(engine, { openEngine }, false);
  await session.start();
  expect(session.getSnapshot()).toEqual({ at: 'elsewhere', lost: false });
  expect(openEngine).not.toHaveBeenCalled();
  await session.takeOver();
  expect(session.getSnapshot()).toEqual({ at: 'open', engine });
});

test('a stolen lock closes the engine and says so', async () => {
  const { engine, close } = engineIn('ready');
  const { session, steal } = sessionWith(engine);
  await session.start();
  steal();
  expect(session.getSnapshot()).toEqual({ at: 'elsewhere', lost: true });
  expect(close).toHaveBeenCalledOnce();
});

test('a lock that is stolen while the store opens leaves nothing open', async () => {
  const { engine, close } = engineIn('ready');
  let opened = (_engine: Engine): void => undefined;
  const openEngine = (): Promise<Engine> =>
    new Promise((resolve) => {
      opened = resolve;
    });
  const { session, steal } = sessionWith(engine, { openEngine });
  const started = session.start();
  await Promise.resolve();
  await Promise.resolve();
  steal();
  opened(engine);
  await started;
  expect(close).toHaveBeenCalledOnce();
  expect(session.getSnapshot()).toEqual({ at: 'elsewhere', lost: true });
});

test('an engine that was replaced in the store gives way', async () => {
  const { engine, become } = engineIn('ready');
  const { session } = sessionWith(engine);
  await session.start();
  become('stopped');
  expect(session.getSnapshot()).toEqual({ at: 'elsewhere', lost: true });
});

test('a store that does not open says why', async () => {
  const { session } = sessionWith(engineIn('ready').engine, {
    openEngine: () => Promise.reject(Object.assign(new Error('no'), { code: 'full' })),
  });
  await session.start();
  expect(session.getSnapshot()).toEqual({ at: 'broken', reason: 'full' });
});
