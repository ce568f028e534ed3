import type { Box } from './box.ts';
import { NO_SIGNS, type Signs } from './signs.ts';
import type { SelfRow } from './rows.ts';
import type { EngineSnapshot } from './views.ts';

/** What an engine knows and does not store. All of it can be copied to other threads. */
export interface Live extends Pick<
  EngineSnapshot,
  'phase' | 'connection' | 'catchingUp' | 'unsent' | 'refusal' | 'storeProblem'
> {
  signs: Signs;
}

/** Before anything is known but what is stored. */
export const firstLive = (self: SelfRow | undefined, unsent = 0): Live => ({
  phase: self === undefined ? 'new' : self.registering || self.joining ? 'joining' : 'ready',
  connection: 'connecting',
  catchingUp: true,
  unsent,
  signs: NO_SIGNS,
});

/** Changes some of it; what is undefined goes. */
export const setLive = (live: Box<Live>, next: { [K in keyof Live]?: Live[K] | undefined }): void => {
  const before = live.getSnapshot();
  const names = Object.keys(next) as (keyof Live)[];
  if (names.every((name) => Object.is(before[name], next[name]))) return;
  const entries = Object.entries({ ...before, ...next }).filter(([, value]) => value !== undefined);
  live.set(Object.fromEntries(entries) as unknown as Live);
};
