import { createBox } from '@sotto/engine/box';
import type { EngineSnapshot } from '@sotto/engine/views';
import { expect, test, vi } from 'vitest';
import type { PageEngine } from './page-engine.ts';
import { createSession, type LeavingStep, type SessionParts } from './session.ts';

const snapshot = (phase: EngineSnapshot['phase']): EngineSnapshot => ({
  phase,
  connection: 'offline',
  catchingUp: true,
  unsent: 0,
  devices: [],
  conversations: [],
  joins: [],
});

/** As much of an engine as a session looks at. */
const engineIn = (phase: EngineSnapshot['phase'], keeps = true) => {
  const state = createBox(snapshot(phase));
  const close = vi.fn(async () => undefined);
  const engine = { ...state, canKeepKeys: async () => keeps, close } as unknown as PageEngine;
  const become = (next: Partial<EngineSnapshot>): void => state.set({ ...state.getSnapshot(), ...next });
  return { engine, become, close };
};

/** Hears what a tab says to the others, and lets it hear one of them. */
const tabs = () => {
  const said: LeavingStep[] = [];
  let hear: (step: LeavingStep) => void = () => undefined;
  const leaving: SessionParts['leaving'] = {
    say: (step) => said.push(step),
    listen: (listener) => {
      hear = listener;
    },
  };
  return { said, leaving, hear: (step: LeavingStep) => hear(step) };
};

const sessionWith = (engine: PageEngine, parts: Partial<SessionParts> = {}) => {
  const told = { noteAccount: vi.fn(), askToPersist: vi.fn(), askToSync: vi.fn(), endEngine: vi.fn() };
  const session = createSession({
    findObstacle: () => undefined,
    openEngine: async () => engine,
    hadAccount: () => false,
    forgetAccount: () => undefined,
    leaving: tabs().leaving,
    wipe: async () => undefined,
    reload: () => undefined,
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
  const { session, noteAccount, endEngine } = sessionWith(engine);
  await session.start();
  expect(session.getSnapshot()).toEqual({ at: 'open', engine });
  expect(noteAccount).toHaveBeenCalledOnce();
  expect(endEngine).not.toHaveBeenCalled();
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

test('an account whose store does not work is not noted', async () => {
  const { engine, become } = engineIn('ready');
  become({ storeProblem: 'closed' });
  const { session, noteAccount } = sessionWith(engine);
  await session.start();
  expect(noteAccount).not.toHaveBeenCalled();
});

test('where something is missing that it needs, nothing is left at work', async () => {
  const openEngine = vi.fn();
  const { session, endEngine } = sessionWith(engineIn('new').engine, {
    findObstacle: () => 'no-locks',
    openEngine,
  });
  await session.start();
  expect(session.getSnapshot()).toEqual({ at: 'obstacle', obstacle: 'no-locks' });
  expect(openEngine).not.toHaveBeenCalled();
  expect(endEngine).toHaveBeenCalledOnce();
});

test('a browser that loses keys makes no account', async () => {
  const { session, endEngine } = sessionWith(engineIn('new', false).engine);
  await session.start();
  expect(session.getSnapshot()).toEqual({ at: 'obstacle', obstacle: 'no-keys' });
  expect(endEngine).toHaveBeenCalledOnce();
});

test('a store that does not open says why', async () => {
  const { session } = sessionWith(engineIn('ready').engine, {
    openEngine: () => Promise.reject(Object.assign(new Error('no'), { code: 'full' })),
  });
  await session.start();
  expect(session.getSnapshot()).toEqual({ at: 'broken', reason: 'full' });
});

test('who leaves tells the relay and the other tabs, closes, and then deletes', async () => {
  const { engine, close } = engineIn('ready');
  const { said, leaving } = tabs();
  const order: string[] = [];
  close.mockImplementation(async () => void order.push('close'));
  const { session } = sessionWith(engine, {
    leaving,
    wipe: async () => void order.push('wipe'),
    forgetAccount: () => order.push('forget'),
  });
  await session.start();
  await session.leave(async () => void order.push('tell'));
  expect(order).toEqual(['tell', 'close', 'wipe', 'forget']);
  expect(said).toEqual(['begun', 'done']);
  expect(session.getSnapshot()).toEqual({ at: 'left', told: true });
});

test('a relay that does not answer keeps nobody from leaving', async () => {
  const { session } = sessionWith(engineIn('ready').engine);
  await session.start();
  await session.leave(() => Promise.reject(new Error('unreachable')));
  expect(session.getSnapshot()).toEqual({ at: 'left', told: false });
});

test('what could not be deleted is said, and the account is not forgotten', async () => {
  const forgetAccount = vi.fn();
  const { session } = sessionWith(engineIn('ready').engine, {
    forgetAccount,
    wipe: () => Promise.reject(Object.assign(new Error('no'), { code: 'blocked' })),
  });
  await session.start();
  await session.leave();
  expect(session.getSnapshot()).toEqual({ at: 'broken', reason: 'blocked' });
  expect(forgetAccount).not.toHaveBeenCalled();
});

test('a tab that hears of it lets go, and begins anew when it is done', async () => {
  const { engine, close } = engineIn('ready');
  const { hear, leaving } = tabs();
  const reload = vi.fn();
  const { session } = sessionWith(engine, { leaving, reload });
  await session.start();
  hear('begun');
  expect(session.getSnapshot()).toEqual({ at: 'leaving' });
  expect(close).toHaveBeenCalledOnce();
  expect(reload).not.toHaveBeenCalled();
  hear('done');
  expect(reload).toHaveBeenCalledOnce();
});
