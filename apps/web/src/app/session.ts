import type { Engine, View } from '@sotto/engine/views';
import type { LockState } from '../platform/store-lock.ts';
import type { Obstacle } from '../platform/support.ts';
import { box } from '../platform/view.ts';

/** What this page is doing with the store: which of the screens stands. */
export type SessionSnapshot =
  | { at: 'starting' }
  | { at: 'obstacle'; obstacle: Obstacle }
  /** Another page holds the store; `lost` when it took it from this one. */
  | { at: 'elsewhere'; lost: boolean }
  /** There was an account, and the browser threw its store away. */
  | { at: 'wiped' }
  | { at: 'broken'; reason: string }
  | { at: 'open'; engine: Engine };

export interface SessionParts {
  findObstacle(): Obstacle | undefined;
  canKeepKeys(): Promise<boolean>;
  lock(onLost: () => void): {
    acquire(): Promise<'held' | 'elsewhere'>;
    takeOver(): Promise<void>;
    state(): LockState;
  };
  /** Opens the store and the engine on it, from local data alone. */
  openEngine(): Promise<Engine>;
  hadAccount(): boolean;
  noteAccount(): void;
  forgetAccount(): void;
  askToPersist(): void;
}

export interface Session extends View<SessionSnapshot> {
  start(): Promise<void>;
  /** "Use it here". */
  takeOver(): Promise<void>;
  /** Starts where another page left off, if none holds the store any more. */
  resume(): Promise<void>;
  /** The person has read that the store is gone. */
  beginAgain(): void;
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';

/** Leads a page from its first moment to an open engine, and away from it when another page takes over. */
export const createSession = (parts: SessionParts): Session => {
  const state = box<SessionSnapshot>({ at: 'starting' });
  let engine: Engine | undefined;
  let tail = Promise.resolve();

  const leave = (): void => {
    const left = engine;
    engine = undefined;
    state.set({ at: 'elsewhere', lost: true });
    left?.close().catch(() => undefined);
  };

  const lock = parts.lock(leave);

  /** An account that stands is noted once, whether it was there or has just been made. */
  const watch = (opened: Engine): void => {
    let noted = false;
    const look = (): void => {
      const { phase } = opened.getSnapshot();
      if (phase === 'stopped' && engine === opened) leave();
      if (phase !== 'ready' || noted) return;
      noted = true;
      parts.noteAccount();
      parts.askToPersist();
    };
    opened.subscribe(look);
    look();
  };

  const open = async (): Promise<void> => {
    try {
      const opened = await parts.openEngine();
      if (lock.state() !== 'held') {
        state.set({ at: 'elsewhere', lost: true });
        return await opened.close();
      }
      engine = opened;
      watch(opened);
      if (engine !== opened) return;
      if (opened.getSnapshot().phase === 'new') {
        if (!(await parts.canKeepKeys())) return state.set({ at: 'obstacle', obstacle: 'no-keys' });
        if (engine !== opened) return;
        if (parts.hadAccount()) return state.set({ at: 'wiped' });
      }
      state.set({ at: 'open', engine: opened });
    } catch (error) {
      if (lock.state() === 'held') state.set({ at: 'broken', reason: reasonOf(error) });
    }
  };

  /** One step after the other: a click that also brings the window forward asks for two at once. */
  const alone = (step: () => Promise<void>): Promise<void> => {
    tail = tail.then(step).catch((error: unknown) => state.set({ at: 'broken', reason: reasonOf(error) }));
    return tail;
  };

  return {
    ...state,
    start: () =>
      alone(async () => {
        const obstacle = parts.findObstacle();
        if (obstacle) return state.set({ at: 'obstacle', obstacle });
        if ((await lock.acquire()) === 'elsewhere') return state.set({ at: 'elsewhere', lost: false });
        await open();
      }),
    takeOver: () =>
      alone(async () => {
        if (state.getSnapshot().at !== 'elsewhere') return;
        await lock.takeOver();
        if (lock.state() !== 'held') return;
        state.set({ at: 'starting' });
        await open();
      }),
    resume: () =>
      alone(async () => {
        if (state.getSnapshot().at !== 'elsewhere' || (await lock.acquire()) !== 'held') return;
        state.set({ at: 'starting' });
        await open();
      }),
    beginAgain: () => {
      if (state.getSnapshot().at !== 'wiped' || !engine) return;
      parts.forgetAccount();
      state.set({ at: 'open', engine });
    },
  };
};
