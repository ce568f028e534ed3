import type { Content } from '@sotto/contract/content';
import type { DeliveryToken } from '@sotto/contract/ids';
import type { Draft } from '../model.ts';
import type { SelfRow } from '../rows.ts';
import { enqueue, putContact } from './draft.ts';

/**
 * Puts something that was written in a conversation on its way; its place in the outbox, none when it goes to nobody. One's
 * own notes stay here.
 */
export const post = (
  draft: Draft,
  self: SelfRow,
  conversation: string,
  content: Content,
): number | undefined => (conversation === self.account ? undefined : enqueue(draft, conversation, content));

/** Before the first message to somebody, or to a group: how one is called, and what lets them write back. */
export const introduce = async (draft: Draft, self: SelfRow, account: string): Promise<void> => {
  const group = await draft.get('group', account);
  if (group && !group.introduced) {
    // What lets into one's inbox is for those alone whom one has taken up with.
    enqueue(draft, account, { kind: 'profile', name: self.name });
    draft.put('group', { ...group, introduced: true }, account);
  }
  const contact = await draft.get('contact', account);
  if (!contact || contact.introduced) return;
  enqueue(draft, account, profileOf(self));
  putContact(draft, { ...contact, introduced: true });
};

export const profileOf = (self: SelfRow): Extract<Content, { kind: 'profile' }> => ({
  kind: 'profile',
  name: self.name,
  token: self.delivery as DeliveryToken,
});
