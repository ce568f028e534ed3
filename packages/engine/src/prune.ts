import type { Model } from './model.ts';

const DAY = 24 * 60 * 60 * 1000;
/** In one transaction. */
const BATCH = 500;

/** Longer than a message can come again: the relay keeps it for 30 days, and knows for 7 more that it was acknowledged. */
const SEEN_MS = 45 * DAY;
const ASIDE_MS = 30 * DAY;
/** What waits for keys of groups that may never come. */
const MOST_HELD = 2_000;
/** Why something could not be read, whoever sent it. */
const MOST_ASIDE = 500;

const remove = async (
  model: Model,
  table: 'seen' | 'aside' | 'held' | 'unclaimed',
  before: number,
  most: number,
): Promise<void> => {
  for (let left = most; left > 0; left -= BATCH) {
    const keys = await model.store.older(table, before, Math.min(left, BATCH));
    if (keys.length === 0) return;
    await model.change((draft) => {
      for (const key of keys) draft.remove(table, key);
    });
  }
};

/**
 * Lets go of envelopes that were dealt with long ago.
 *
 * @throws StoreError
 */
export const prune = async (model: Model, now: number): Promise<void> => {
  await remove(model, 'seen', now - SEEN_MS, Number.POSITIVE_INFINITY);
  await remove(model, 'aside', now - ASIDE_MS, Number.POSITIVE_INFINITY);
  const over = (await model.store.count('aside')) - MOST_ASIDE;
  await remove(model, 'aside', Number.POSITIVE_INFINITY, over);
  await remove(model, 'unclaimed', now - ASIDE_MS, Number.POSITIVE_INFINITY);
  await remove(model, 'held', now - ASIDE_MS, Number.POSITIVE_INFINITY);
  const waiting = (await model.store.count('held')) - MOST_HELD;
  await remove(model, 'held', Number.POSITIVE_INFINITY, waiting);
};
