import type { ConversationId, Handle, AccountId } from '@sotto/contract/ids';
import { contactOf, personOf } from './conversations/person.ts';
import type { Model } from './model.ts';
import type { ContactRow, ConversationRow } from './rows.ts';
import type { ConversationSummary, EngineSnapshot } from './views.ts';

/** Where a conversation stands in the list: by its newest message, or by when it was begun. */
const rank = ({ last, createdAt }: ConversationRow): number => last?.order ?? createdAt;

/** Makes the list of conversations from the model; an entry stays the same object while its rows do. */
export const createOverview = (model: Model) => {
  let entries = new Map<
    string,
    { rows: [ConversationRow, ContactRow | undefined]; summary: ConversationSummary }
  >();

  const summarise = (row: ConversationRow): ConversationSummary => {
    const { id, unread, last } = row;
    const peer = personOf(model, id);
    if (!last) return { id: id as ConversationId, peer, unread };
    const { text, mine, status, time } = last;
    return { id: id as ConversationId, peer, unread, last: { text, mine, status, time } };
  };

  return (): Pick<EngineSnapshot, 'me' | 'contact' | 'conversations'> => {
    const next: typeof entries = new Map();
    for (const row of model.conversations.values()) {
      const contact = model.contacts.get(row.id);
      const known = entries.get(row.id);
      const same = known && known.rows[0] === row && known.rows[1] === contact;
      next.set(row.id, same ? known : { rows: [row, contact], summary: summarise(row) });
    }
    entries = next;
    const conversations = [...model.conversations.values()]
      .toSorted((a, b) => rank(b) - rank(a))
      .map(({ id }) => next.get(id)!.summary);
    const { self } = model;
    if (!self) return { conversations };
    const me = {
      account: self.account as AccountId,
      handle: self.handle as Handle,
      name: self.name,
      verified: true,
    };
    return { me, contact: contactOf(self), conversations };
  };
};
