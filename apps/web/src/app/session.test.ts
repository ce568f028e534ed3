import { createBox } from '@sotto/engine/box';
import type { EngineSnapshot } from '@sotto/engine/views';
import { expect, test, vi } from 'vitest';
import type { PageEngine } from './page-engine.ts';
import { createSession, type SessionParts } from './session.ts';

const snapshot = (phase: EngineSnapshot['phase']): EngineSnapshot => ({
  phase,
  connection: 'offline',
  catchingUp: true,
  unsent: 0,
  devices: [],
  conversations: [],
});

/** As much of an engine as a session looks at. */
const engineIn = (phase: EngineSnapshot['phase'], keeps = true) => {
  const state = createBox(snapshot(phase));
  const engine = { ...state, canKeepKeys: async () => keeps } as unknown as PageEngine;
  const become = (next: Partial<EngineSnapshot>): void => state.set({ ...state.getSnapshot(), ...next });
  return { engine, become };
};

const sessionWith = (engine: PageEngine, parts: Partial<SessionParts> = {}) => {
  const told = { noteAccount: vi.fn(), askToPersist: vi.fn(), askToSync: vi.fn() };
  const session = createSession({
    findObstacle: () => undefined,
    openEngine: async () => engine,
    hadAccount: () => false,
    forgetAccount: () => undefined,
    persisted: createBox<boolean | undefined>(undefined),
    ...told,
    ...parts,
  });
  return { session, ...told };
};

const last = { text: 'hi', time: 0, status: 'sent' as const };
const chat = (mine: boolean) =>
  ({
    id: 'bob',
    peer: {},
    unread: 0,
    last: { ...last, mine },
  }) as unknown as EngineSnapshot['conversations'][0];

test('an account opens without a look at keys, and is noted', async () => {
  const { engine } = engineIn('ready', false);
  const { session, noteAccount } = sessionWith(engine);
  await session.start();
  expect(session.getSnapshot()).toEqual({ at: 'open', engine });
  expect(noteAccount).toHaveBeenCalledOnce();
});

test('an account that is made later is noted when it stands', async () => {
  const { engine, become } = engineIn('new');
  const { session, noteAccount } = sessionWith(engine);
  await session.start();
  become({ phase: 'joining' });
  expect(noteAccount).not.toHaveBeenCalled();
  become({ phase: 'ready' });
  expect(noteAccount).toHaveBeenCalledOnce();
});

test('the store is asked to stay when the account stands, and after the first message', async () => {
  const { engine, become } = engineIn('ready');
  const { session, askToPersist } = sessionWith(engine);
  await session.start();
  expect(askToPersist).toHaveBeenCalledTimes(1);
  become({ conversations: [chat(false)] });
  expect(askToPersist).toHaveBeenCalledTimes(1);
  become({ conversations: [chat(true)] });
  become({ conversations: [chat(true), chat(true)] });
  expect(askToPersist).toHaveBeenCalledTimes(2);
});

test('what is written without a connection asks for a sync, once for each', async () => {
  const { engine, become } = engineIn('ready');
  const { session, askToSync } = sessionWith(engine);
  await session.start();
  become({ unsent: 1 });
  become({ catchingUp: false });
  expect(askToSync).toHaveBeenCalledTimes(1);
  become({ unsent: 2 });
  expect(askToSync).toHaveBeenCalledTimes(2);
  become({ connection: 'online', unsent: 3 });
  expect(askToSync).toHaveBeenCalledTimes(2);
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
  const { session } = sessionWith(engineIn('new', false).engine);
  await session.start();
  expect(session.getSnapshot()).toEqual({ at: 'obstacle', obstacle: 'no-keys' });
});

test('a store that does not open says why', async () => {
  const { session } = sessionWith(engineIn('ready').engine, {
    openEngine: () => Promise.reject(Object.assign(new Error('no'), { code: 'full' })),
  });
  await session.start();
  expect(session.getSnapshot()).toEqual({ at: 'broken', reason: 'full' });
});
