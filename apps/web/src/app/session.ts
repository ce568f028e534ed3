import { createBox } from '@sotto/engine/box';
import type { Engine, View } from '@sotto/engine/views';
import type { Obstacle } from '../platform/support.ts';
import type { PageEngine } from './page-engine.ts';

/** Which of the screens stands. */
export type SessionSnapshot =
  | { at: 'starting' }
  | { at: 'obstacle'; obstacle: Obstacle }
  /** There was an account, and the browser threw its store away. */
  | { at: 'wiped' }
  | { at: 'broken'; reason: string }
  | { at: 'open'; engine: Engine }
  /** What is stored here is being deleted. */
  | { at: 'leaving' }
  /** It is deleted; `told`: the relay knows that this device is gone. */
  | { at: 'left'; told: boolean };

export interface SessionParts {
  findObstacle(): Obstacle | undefined;
  /** Opens what is stored, in the page's worker. */
  openEngine(): Promise<PageEngine>;
  /** Ends the worker, which may be at work already. */
  endEngine(): void;
  hadAccount(): boolean;
  noteAccount(): void;
  forgetAccount(): void;
  askToPersist(): void;
  /** Whether the browser has promised to keep the store; undefined until it has answered. */
  persisted: View<boolean | undefined>;
  /** Something waits to be sent and there is no connection, or nobody may be here when there is. */
  askToSync(): void;
  /** Tells the other tabs how far this one has come with leaving, and hears the same of them. */
  leaving: LeavingChannel;
  /** Deletes everything that this browser has stored of the account. */
  wipe(): Promise<void>;
  reload(): void;
}

export type LeavingStep = 'begun' | 'done';

export interface LeavingChannel {
  say(step: LeavingStep): void;
  listen(listener: (step: LeavingStep) => void): void;
}

export interface Session extends View<SessionSnapshot> {
  persisted: SessionParts['persisted'];
  start(): Promise<void>;
  /** The person has read that the store is gone. */
  beginAgain(): void;
  /** Forgets the account on this device: `tell` lets the relay know of it, as far as it answers. */
  leave(tell?: (engine: Engine) => Promise<void>): Promise<void>;
}

/** In ms: who leaves does not wait longer for the relay. */
const TELL_MS = 8000;
/** In ms: a tab that has heard that another leaves looks by itself then. */
const LEAVING_MS = 20_000;

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';

/** Calls `then` the first time that `test` holds. */
const once = (test: () => boolean, then: () => void): (() => void) => {
  let done = false;
  return () => {
    if (done || !test()) return;
    done = true;
    then();
  };
};

/** Whether `work` came to its end in that time. */
const within = (ms: number, work: Promise<void>): Promise<boolean> =>
  Promise.race([
    work.then(
      () => true,
      () => false,
    ),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), ms)),
  ]);

/** Leads a page from its first moment to an open engine. */
export const createSession = (parts: SessionParts): Session => {
  const state = createBox<SessionSnapshot>({ at: 'starting' });
  let engine: Engine | undefined;

  parts.leaving.listen((step) => {
    if (step === 'done') return parts.reload();
    state.set({ at: 'leaving' });
    void engine?.close();
    setTimeout(parts.reload, LEAVING_MS);
  });

  const watch = ({ getSnapshot, subscribe }: Engine): void => {
    const isReady = (): boolean => {
      const { phase, storeProblem } = getSnapshot();
      return phase === 'ready' && storeProblem === undefined;
    };
    let waiting = 0;
    const looks = [
      // An account that stands, whether it was there or has just been made.
      once(isReady, () => {
        parts.noteAccount();
        parts.askToPersist();
      }),
      // Browsers say yes rather to a page that is used.
      once(
        () => getSnapshot().conversations.some(({ last }) => last?.mine === true),
        () => parts.askToPersist(),
      ),
      (): void => {
        const { unsent, connection } = getSnapshot();
        if (unsent > waiting && connection !== 'online') parts.askToSync();
        waiting = unsent;
      },
    ];
    const look = (): void => {
      for (const next of looks) next();
    };
    subscribe(look);
    look();
  };

  const open = async (): Promise<SessionSnapshot> => {
    const obstacle = parts.findObstacle();
    if (obstacle) return { at: 'obstacle', obstacle };
    const opened = await parts.openEngine();
    engine = opened;
    watch(opened);
    if (opened.getSnapshot().phase === 'new') {
      if (!(await opened.canKeepKeys())) return { at: 'obstacle', obstacle: 'no-keys' };
      if (parts.hadAccount()) return { at: 'wiped' };
    }
    return { at: 'open', engine: opened };
  };

  return {
    ...state,
    persisted: parts.persisted,
    async start() {
      const next = await open().catch((error: unknown) => ({
        at: 'broken' as const,
        reason: reasonOf(error),
      }));
      if (next.at === 'obstacle') parts.endEngine();
      state.set(next);
    },
    beginAgain: () => {
      if (state.getSnapshot().at !== 'wiped' || !engine) return;
      parts.forgetAccount();
      state.set({ at: 'open', engine });
    },
    async leave(tell) {
      state.set({ at: 'leaving' });
      parts.leaving.say('begun');
      const told = !tell || !engine || (await within(TELL_MS, tell(engine)));
      try {
        await engine?.close();
        await parts.wipe();
        parts.forgetAccount();
        state.set({ at: 'left', told });
      } catch (error) {
        state.set({ at: 'broken', reason: reasonOf(error) });
      }
      parts.leaving.say('done');
    },
  };
};
