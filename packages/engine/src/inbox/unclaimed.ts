import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { Clock } from '../clock.ts';
import type { Draft, Model } from '../model.ts';
import type { Opened } from './senders.ts';

/** Kept at once. Anybody who may write here can send what nobody can be asked about. */
const MOST = 200;
const MINUTE = 60_000;

/** Lets something be done so many times in a minute. */
export const createBudget = (clock: Clock, most: number): (() => boolean) => {
  let since = -Infinity;
  let done = 0;
  return () => {
    const now = clock.now();
    // Also for a clock that was put back.
    if (Math.abs(now - since) >= MINUTE) [since, done] = [now, 0];
    done += 1;
    return done <= most;
  };
};

/**
 * Envelopes whose senders' keys cannot be had now. They are stored and acknowledged, so that they do not stand in the way of
 * what the relay has behind them.
 */
export const createUnclaimed = (model: Model) => {
  const kept = new Set<string>();
  let loaded = false;

  return {
    /** Those from before this start, once. @throws StoreError */
    async load(): Promise<IncomingEnvelope[]> {
      if (loaded) return [];
      const rows = await model.store.all('unclaimed');
      loaded = true;
      for (const { envelope } of rows) kept.add(envelope);
      return rows.map(
        ({ envelope: id, accepted: at, body, request }) =>
          ({ id, at, body, ...(request && { request }) }) as IncomingEnvelope,
      );
    },
    has: (id: string): boolean => kept.has(id),
    /** Without room, who is nobody's here waits no more, and what a contact may have sent stays with the relay. */
    admit(opened: readonly Opened[]): Opened[] {
      let room = MOST - kept.size;
      return opened.map((entry) => {
        const { envelope } = entry;
        if (!('later' in entry) || kept.has(envelope.id) || room-- > 0) return entry;
        return model.contacts.has(entry.later.account) ? entry : { envelope, reason: 'sender-unknown' };
      });
    },
    /** Stores those of a batch that have to wait, and lets go of those that do no more. */
    keep(draft: Draft, opened: readonly Opened[], now: number): void {
      let room = MOST - kept.size;
      for (const entry of opened) {
        const { id, at, body, request } = entry.envelope;
        if (!('later' in entry)) {
          if (kept.has(id)) draft.remove('unclaimed', id);
        } else if (!kept.has(id) && room-- > 0) {
          const row = { envelope: id, at: now, accepted: at, body, ...(request && { request }) };
          draft.put('unclaimed', row, id);
        }
      }
    },
    /** What `keep` drafted is stored. */
    kept(opened: readonly Opened[]): void {
      for (const entry of opened) {
        const { id } = entry.envelope;
        if (!('later' in entry)) kept.delete(id);
        else if (kept.size < MOST) kept.add(id);
      }
    },
  };
};
