import type { ConversationId, Handle, AccountId } from '@sotto/contract/ids';
import { talksTo } from './conversations/audience.ts';
import { contactOf, personOf } from './conversations/person.ts';
import type { Clock } from './clock.ts';
import { summaryOf } from './groups/group-view.ts';
import { settingsOf } from './conversations/settings.ts';
import { alarmOf, devicesOf } from './devices/shown.ts';
import type { Live } from './live.ts';
import type { ReadModel } from './model.ts';
import type { ConversationRow, JoinRow } from './rows.ts';
import type { ConversationSummary, EngineSnapshot, View } from './views.ts';

/** Where a conversation stands in the list: by its newest message, or by when it was begun. */
const rank = ({ last, createdAt }: ConversationRow): number => last?.order ?? createdAt;

/** Whom the last line of a group names. */
const namedIn = ({ from, note }: Partial<NonNullable<ConversationRow['last']>>): string[] => [
  ...(from === undefined ? [] : [from]),
  ...(note && 'accounts' in note ? note.accounts : []),
];

const shownLast = (
  model: ReadModel,
  last: NonNullable<ConversationRow['last']>,
): NonNullable<ConversationSummary['last']> => {
  const { text, mine, status, time, deleted, note, from } = last;
  return {
    text,
    mine,
    status,
    time,
    ...(deleted && { deleted }),
    ...(note && { note }),
    ...(from !== undefined && {
      from: from as AccountId,
      people: Object.fromEntries(namedIn(last).map((account) => [account, personOf(model, account)])),
    }),
  };
};

/** Makes the list of conversations from the model; an entry stays the same object while its rows do. */
export const createOverview = (model: ReadModel, live: View<Live>, clock: Clock) => {
  let entries = new Map<string, { of: unknown[]; summary: ConversationSummary }>();

  const summarise = (row: ConversationRow): ConversationSummary => {
    const { id, unread, mentioned = 0, last, draft, request, muted, pinned, archived, group } = row;
    const { timer, waiting } = row;
    const { typing, online } = live.getSnapshot().signs;
    const isShown = last && (last.expiresAt ?? Infinity) > clock.now();
    const { self } = model;
    const { lastSeen, changed } = model.contacts.get(id) ?? {};
    return {
      id: id as ConversationId,
      peer: personOf(model, id),
      ...(group && { group: summaryOf(group) }),
      unread,
      mentioned,
      typing: (typing[id] ?? []) as AccountId[],
      online: online.includes(id),
      ...(isShown && { last: shownLast(model, last) }),
      ...(draft && { draft }),
      ...(request && { request }),
      ...(request && group?.by !== undefined && { addedBy: personOf(model, group.by) }),
      ...(self?.blocked?.includes(id) && { blocked: true as const }),
      ...(timer !== undefined && { timer }),
      ...(muted !== undefined && { muted }),
      ...(pinned !== undefined && { pinned }),
      ...(archived && { archived }),
      ...(waiting !== undefined && { waiting }),
      ...(lastSeen !== undefined && self && talksTo(model, self, id) && { lastSeen }),
      ...(changed && { stopped: 'identity-changed' as const }),
    };
  };

  const joinsOf = (joins: readonly JoinRow[] = []): EngineSnapshot['joins'] =>
    joins.flatMap(({ group, title, at, answer, hidden }) =>
      hidden && !answer
        ? []
        : [
            {
              group: group as unknown as ConversationId,
              title,
              time: at,
              ...(answer && { answer }),
            },
          ],
    );
  let shownJoins: { of: readonly JoinRow[] | undefined; joins: EngineSnapshot['joins'] } | undefined;
  /** The same while nothing of it changed. */
  const joinsNow = (): EngineSnapshot['joins'] => {
    const of = model.self?.joins;
    if (!shownJoins || shownJoins.of !== of) shownJoins = { of, joins: joinsOf(of) };
    return shownJoins.joins;
  };

  return (): Pick<
    EngineSnapshot,
    'me' | 'settings' | 'contact' | 'devices' | 'alarm' | 'conversations' | 'joins'
  > => {
    const next: typeof entries = new Map();
    for (const row of model.conversations.values()) {
      const contact = model.contacts.get(row.id);
      const known = entries.get(row.id);
      const { typing, online } = live.getSnapshot().signs;
      const adder = row.request && row.group?.by;
      const named = [...namedIn(row.last ?? {}), ...(adder ? [adder] : [])].map((account) =>
        model.contacts.get(account),
      );
      const of = [row, contact, typing[row.id]?.join(), online.includes(row.id), model.self, ...named];
      const same = known?.of.every((part, at) => part === of[at]);
      next.set(row.id, same ? known! : { of, summary: summarise(row) });
    }
    entries = next;
    const conversations = [...model.conversations.values()]
      .toSorted((a, b) => rank(b) - rank(a))
      .map(({ id }) => next.get(id)!.summary);
    const { self } = model;
    if (!self) return { conversations, devices: [], joins: [] };
    const me = {
      account: self.account as AccountId,
      handle: self.handle as Handle,
      name: self.name,
      verified: true,
    };
    const alarm = alarmOf(self);
    return {
      me,
      settings: settingsOf(self),
      contact: contactOf(self),
      devices: devicesOf(self),
      ...(alarm && { alarm }),
      conversations,
      joins: joinsNow(),
    };
  };
};
