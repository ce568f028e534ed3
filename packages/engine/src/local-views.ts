import { openConversationView } from './conversations/conversation-view.ts';
import { createStarred } from './conversations/starred.ts';
import { type Clock, systemClock } from './clock.ts';
import { createEmitter } from './emitter.ts';
import type { Live } from './live.ts';
import type { ReadModel } from './model.ts';
import { openGroupView } from './groups/group-view.ts';
import { createOverview } from './overview.ts';
import { createSearch } from './search/search.ts';
import type { Engine, EngineSnapshot, View } from './views.ts';

/** The part of an engine that shows what is stored: the same whether it is the writer's own or a follower's. */
export type LocalViews = Pick<
  Engine,
  'subscribe' | 'getSnapshot' | 'openConversation' | 'openGroup' | 'search' | 'starred'
>;

export const createLocalViews = (
  model: ReadModel,
  live: View<Live>,
  clock: Clock = systemClock,
): LocalViews => {
  const emitter = createEmitter();
  const overview = createOverview(model, live, clock);
  let snapshot: EngineSnapshot | undefined;
  const changed = (): void => {
    snapshot = undefined;
    emitter.emit();
  };
  live.subscribe(changed);
  model.onChange(changed);
  return {
    subscribe: emitter.subscribe,
    getSnapshot() {
      const { signs: _, ...shown } = live.getSnapshot();
      snapshot ??= { ...shown, ...overview() };
      return snapshot;
    },
    search: createSearch(model, clock),
    starred: createStarred(model, clock),
    openGroup: async (id) => openGroupView(model, id),
    async openConversation(id, { at } = {}) {
      const conversation = model.conversations.get(id);
      return conversation && openConversationView({ model, live, clock }, conversation, at);
    },
  };
};
