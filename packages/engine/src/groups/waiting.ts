import { equal } from '@sotto/crypto/bytes';
import { namedIn } from '@sotto/crypto/channel-seal';
import { roleOf } from '@sotto/crypto/membership-state';
import { putConversation } from '../conversations/draft.ts';
import type { Model } from '../model.ts';
import type { Reader } from '../ports.ts';
import type { GroupRow, HeldRow } from '../rows.ts';

/** In the place of an envelope: what was said of a group before its keys came. */
export const TOLD = 'told';

/** What came of groups, or of one, and waits; the oldest first. What was told of them may be much, and is not read. */
export const heldOf = async (store: Reader, group?: string): Promise<HeldRow[]> => {
  const keys = await store.older('held', Number.POSITIVE_INFINITY, await store.count('held'));
  const some = keys.filter(([of, envelope]) => envelope !== TOLD && (group === undefined || of === group));
  return (await store.getMany('held', some)).filter((row) => row !== undefined);
};

/**
 * Whether what it waits for is known to be there, for the relay to hand over: the log, the key in force, or that of a member. An
 * earlier key may never have been, as anybody in the group can name one.
 */
const isOwed = ({ state }: GroupRow, { from, body }: HeldRow): boolean => {
  if (!state) return true;
  if (from) return roleOf(state, from.account) !== undefined;
  const named = namedIn(body);
  return named !== undefined && (named.epoch > state.epoch || equal(named.id, state.channel));
};

/** Has each group say since when something of it waits for a key or for its log, as the store has it. */
export const tellWaiting = async (model: Model): Promise<void> => {
  const says = [...model.conversations.values()].some(({ waiting }) => waiting !== undefined);
  if (!says && (await model.store.count('held')) === 0) return;
  await model.change(async (draft) => {
    const oldest = new Map<string, number>();
    for (const row of await heldOf(model.store)) {
      const { group, at, since = at } = row;
      const known = model.groups.get(group);
      if (known && isOwed(known, row)) oldest.set(group, Math.min(since, oldest.get(group) ?? since));
    }
    for (const { id, group } of model.conversations.values()) {
      const row = group && (await draft.get('conversation', id));
      const since = oldest.get(id);
      if (!row || row.waiting === since) continue;
      const { waiting: _, ...rest } = row;
      putConversation(draft, { ...rest, ...(since !== undefined && { waiting: since }) });
    }
  });
};
