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
  | { at: 'open'; engine: Engine };

export interface SessionParts {
  findObstacle(): Obstacle | undefined;
  /** Opens what is stored, in the page's worker. */
  openEngine(): Promise<PageEngine>;
  hadAccount(): boolean;
  noteAccount(): void;
  forgetAccount(): void;
  askToPersist(): void;
  /** Whether the browser has promised to keep the store; undefined until it has answered. */
  persisted: View<boolean | undefined>;
  /** Something waits to be sent and there is no connection, or nobody may be here when there is. */
  askToSync(): void;
}

export interface Session extends View<SessionSnapshot> {
  persisted: SessionParts['persisted'];
  start(): Promise<void>;
  /** The person has read that the store is gone. */
  beginAgain(): void;
}

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

/** Leads a page from its first moment to an open engine. */
export const createSession = (parts: SessionParts): Session => {
  const state = createBox<SessionSnapshot>({ at: 'starting' });
  let engine: Engine | undefined;

  const watch = ({ getSnapshot, subscribe }: Engine): void => {
    const isReady = (): boolean => getSnapshot().phase === 'ready';
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
      state.set(await open().catch((error: unknown) => ({ at: 'broken' as const, reason: reasonOf(error) })));
    },
    beginAgain: () => {
      if (state.getSnapshot().at !== 'wiped' || !engine) return;
      parts.forgetAccount();
      state.set({ at: 'open', engine });
    },
  };
};
