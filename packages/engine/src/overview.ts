import type { ConversationId, Handle, AccountId } from '@sotto/contract/ids';
import { contactOf, personOf } from './conversations/person.ts';
import type { Clock } from './clock.ts';
import { summaryOf } from './groups/group-view.ts';
import { settingsOf } from './conversations/settings.ts';
import { alarmOf, devicesOf } from './devices/shown.ts';
import type { Live } from './live.ts';
import type { ReadModel } from './model.ts';
import type { ConversationRow } from './rows.ts';
import type { ConversationSummary, EngineSnapshot, View } from './views.ts';

/** Where a conversation stands in the list: by its newest message, or by when it was begun. */
const rank = ({ last, createdAt }: ConversationRow): number => last?.order ?? createdAt;

const shownLast = ({ text, mine, status, time, deleted }: NonNullable<ConversationRow['last']>) => ({
  text,
  mine,
  status,
  time,
  ...(deleted && { deleted }),
});

/** Makes the list of conversations from the model; an entry stays the same object while its rows do. */
export const createOverview = (model: ReadModel, live: View<Live>, clock: Clock) => {
  let entries = new Map<string, { of: unknown[]; summary: ConversationSummary }>();

  const summarise = (row: ConversationRow): ConversationSummary => {
    const { id, unread, mentioned = 0, last, draft, request, muted, pinned, archived, group } = row;
    const { typing, online } = live.getSnapshot().signs;
    const isShown = last && (last.expiresAt ?? Infinity) > clock.now();
    return {
      id: id as ConversationId,
      peer: personOf(model, id),
      ...(group && { group: summaryOf(group) }),
      unread,
      mentioned,
      typing: (typing[id] ?? []) as AccountId[],
      online: online.includes(id),
      ...(isShown && { last: shownLast(last) }),
      ...(draft && { draft }),
      ...(request && { request }),
      ...(model.self?.blocked?.includes(id) && { blocked: true as const }),
      ...(muted !== undefined && { muted }),
      ...(pinned !== undefined && { pinned }),
      ...(archived && { archived }),
      ...(model.contacts.get(id)?.changed && { stopped: 'identity-changed' as const }),
    };
  };

  return (): Pick<EngineSnapshot, 'me' | 'settings' | 'contact' | 'devices' | 'alarm' | 'conversations'> => {
    const next: typeof entries = new Map();
    for (const row of model.conversations.values()) {
      const contact = model.contacts.get(row.id);
      const known = entries.get(row.id);
      const { typing, online } = live.getSnapshot().signs;
      const of = [row, contact, typing[row.id]?.join(), online.includes(row.id), model.self];
      const same = known?.of.every((part, at) => part === of[at]);
      next.set(row.id, same ? known! : { of, summary: summarise(row) });
    }
    entries = next;
    const conversations = [...model.conversations.values()]
      .toSorted((a, b) => rank(b) - rank(a))
      .map(({ id }) => next.get(id)!.summary);
    const { self } = model;
    if (!self) return { conversations, devices: [] };
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
    };
  };
};
