import { POLICY } from '@sotto/crypto/membership-operation';
import type { AccountId, ConversationId } from '@sotto/contract/ids';
import { personOf } from '../conversations/person.ts';
import { createEmitter } from '../emitter.ts';
import type { ReadModel } from '../model.ts';
import type { GroupBrief, GroupRow } from '../rows.ts';
import type { GroupLink } from '@sotto/contract/link';
import type { GroupPolicy, GroupSnapshot, GroupSummary, GroupView } from '../views.ts';

const policyOf = (bits: number): GroupPolicy => ({
  membersAdd: (bits & POLICY.membersAdd) !== 0,
  membersEdit: (bits & POLICY.membersEdit) !== 0,
  adminsPost: (bits & POLICY.adminsPost) !== 0,
  adminsDelete: (bits & POLICY.adminsDelete) !== 0,
});

export const summaryOf = ({ others: _, link: __, by: ___, policy, ...brief }: GroupBrief): GroupSummary => ({
  ...brief,
  policy: policyOf(policy),
});

const manages = (brief: GroupBrief | undefined): boolean =>
  brief?.role === 'admin' || brief?.role === 'owner';

/** The link, for those who may add others. */
const linkShown = (channel: string, brief: GroupBrief | undefined): Pick<GroupSnapshot, 'link'> => {
  const mayAdd = manages(brief) || ((brief?.policy ?? 0) & POLICY.membersAdd) !== 0;
  if (!brief?.link || !mayAdd) return {};
  const { secret, pin, ...options } = brief.link;
  const parts = { channel, secret, pin };
  return { link: { ...options, link: parts as GroupLink } as NonNullable<GroupSnapshot['link']> };
};

const requestsShown = (model: ReadModel, row: GroupRow | undefined): GroupSnapshot['requests'] =>
  (row?.requests ?? [])
    .filter(({ checked }) => checked)
    .map(({ id, account, at }) => ({
      id,
      person: personOf(model, account),
      time: at,
      before: account in (row?.departed ?? {}),
    }));

/** Fewer leave in no time. */
const MANY_KEYS = 25;

const keysLeftOf = ({ outbox }: ReadModel, id: string): number => {
  let left = 0;
  for (const { hand, owed } of outbox.values()) if (hand?.group === id && owed === undefined) left += 1;
  return left;
};

/** Who is in a group. */
export const openGroupView = (model: ReadModel, id: ConversationId): GroupView | undefined => {
  if (!model.groups.get(id)?.state) return undefined;
  const emitter = createEmitter();
  let snapshot: GroupSnapshot | undefined;
  const changed = (): void => {
    snapshot = undefined;
    emitter.emit();
  };
  let keysLeft = keysLeftOf(model, id);
  const stopListening = model.onChange((writes) => {
    const left = writes.some(({ table }) => table === 'outbox') ? keysLeftOf(model, id) : keysLeft;
    if (left !== keysLeft) {
      keysLeft = left;
      changed();
    }
    for (const write of writes) {
      if (write.table === 'group' && 'put' in write && write.put.group === id) changed();
      if (write.table === 'contact' || write.table === 'self') changed();
      if (write.table === 'conversation' && 'put' in write && write.put.id === id) changed();
    }
  });
  const stopResync = model.onResync(changed);
  const read = (): GroupSnapshot => {
    const brief = model.conversations.get(id)?.group;
    const row = model.groups.get(id);
    const { members = [], policy = 0 } = row?.state ?? {};
    return {
      ...(keysLeft >= MANY_KEYS && { keysLeft }),
      ...summaryOf(brief ?? { title: '', members: members.length, policy }),
      people: members.map(({ account, role }) => ({
        id: account as AccountId,
        person: personOf(model, account),
        role,
      })),
      ...linkShown(id, brief),
      requests: manages(brief) ? requestsShown(model, row) : [],
    };
  };
  return {
    subscribe: emitter.subscribe,
    getSnapshot: () => (snapshot ??= read()),
    close() {
      stopListening();
      stopResync();
    },
  };
};
