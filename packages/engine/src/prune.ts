import type { Model } from './model.ts';
import type { Dated, Key } from './rows.ts';

const DAY = 24 * 60 * 60 * 1000;
/** In one transaction. */
const BATCH = 500;

/** Longer than a message can come again: the relay keeps it for 30 days, and knows for 7 more that it was acknowledged. */
const SEEN_MS = 45 * DAY;
const ASIDE_MS = 30 * DAY;
/** What waits for keys of groups that may never come, over all groups. */
const MOST_HELD = 2_000;
/** Why something could not be read, whoever sent it. */
const MOST_ASIDE = 500;

const removeKeys = <T extends Dated>(model: Model, table: T, keys: readonly Key<T>[]): Promise<void> =>
  model.change((draft) => {
    for (const key of keys) draft.remove(table, key);
  });

const remove = async (
  model: Model,
  table: 'seen' | 'aside' | 'held' | 'unclaimed',
  before: number,
  most: number,
): Promise<void> => {
  for (let left = most; left > 0; left -= BATCH) {
    const keys = await model.store.older(table, before, Math.min(left, BATCH));
    if (keys.length === 0) return;
    await removeKeys(model, table, keys);
  }
};

/** How many of each may stay so that there are `most` in all: those that have fewer keep what they have. */
const shareOf = (sizes: readonly number[], most: number): number => {
  let left = most;
  for (const [at, size] of sizes.toSorted((a, b) => a - b).entries()) {
    const share = Math.floor(left / (sizes.length - at));
    if (size > share) return share;
    left -= size;
  }
  return most;
};

/** The oldest of the groups that have the most go, so that a flood in one displaces nothing of the others. */
const removeHeld = async (model: Model): Promise<void> => {
  const count = await model.store.count('held');
  if (count <= MOST_HELD) return;
  const groups = new Map<string, Key<'held'>[]>();
  for (const key of await model.store.older('held', Number.POSITIVE_INFINITY, count)) {
    const [group] = key;
    const keys = groups.get(group);
    if (keys) keys.push(key);
    else groups.set(group, [key]);
  }
  const all = [...groups.values()];
  const share = shareOf(
    all.map(({ length }) => length),
    MOST_HELD,
  );
  const gone = all.flatMap((keys) => keys.slice(0, Math.max(0, keys.length - share)));
  for (let at = 0; at < gone.length; at += BATCH) await removeKeys(model, 'held', gone.slice(at, at + BATCH));
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
  await removeHeld(model);
};
