import type { AccountContent, SettingsContent } from '@sotto/contract/content';
import { LIMITS } from '@sotto/contract/limits';
import { enqueue, agreedConversation, putContact } from '../conversations/draft.ts';
import { settingsContents } from '../conversations/settings.ts';
import type { Draft, Model } from '../model.ts';
import type { ContactRow, SelfRow } from '../rows.ts';
import { accountContent, hasOthers } from './sync.ts';

/** For the outbox: what is for one device of the account alone. */
const enqueueFor = (
  draft: Draft,
  { account }: SelfRow,
  to: string,
  content: AccountContent | SettingsContent,
): void => {
  const seq = draft.nextSeq();
  draft.put('outbox', { seq, conversation: account, to, content }, seq);
};

/** `self` once the devices that it was adding, and that its chain has now, will be handed what they need. */
export const handOver = (
  draft: Draft,
  model: Pick<Model, 'contacts' | 'conversations'>,
  self: SelfRow,
): SelfRow => {
  const added = (self.adding ?? []).filter((id) => self.devices.some(({ device }) => device === id));
  if (added.length === 0) return self;
  // Others are in groups with this account, or have asked to talk to it, and no more than that.
  const isContact = ({ handle, account }: ContactRow) => {
    const conversation = model.conversations.get(account);
    return handle !== '' && conversation !== undefined && !conversation.request;
  };
  const contacts = [...model.contacts.values()].filter(isContact);
  for (const device of added) {
    // First: what comes next lets the device send, and it is to know by then what others may hear.
    for (const content of settingsContents(self)) enqueueFor(draft, self, device, content);
    // Once without anybody, too: the name and the token.
    for (let start = 0; start === 0 || start < contacts.length; start += LIMITS.contactsPerMessage) {
      const part = contacts.slice(start, start + LIMITS.contactsPerMessage);
      enqueueFor(draft, self, device, accountContent(self, part));
    }
  }
  const { adding, ...rest } = self;
  const left = adding!.filter((id) => !added.includes(id));
  return left.length > 0 ? { ...rest, adding: left } : rest;
};

/** A new contact, or one whose request was agreed to, told to one's own other devices. */
export const shareContact = (draft: Draft, self: SelfRow, contact: ContactRow): void => {
  if (hasOthers(self)) enqueue(draft, self.account, accountContent(self, [contact]));
};

/** Takes in what another device of the account says of it. What is known here of a contact stays. */
export const takeAccount = async (
  draft: Draft,
  { name, token, contacts }: AccountContent,
  now: number,
): Promise<void> => {
  const self = (await draft.get('self', 'self'))!;
  if (self.joining && token !== undefined) {
    const { joining: _, ...rest } = self;
    draft.put('self', { ...rest, name, delivery: token }, 'self');
  }
  for (const entry of contacts) {
    if (entry.account === self.account) continue;
    const known = await draft.get('contact', entry.account);
    const fresh = { chain: [], devices: [], verified: false, introduced: false };
    putContact(draft, { ...fresh, ...(entry as Pick<ContactRow, 'account' | 'handle'>), ...known });
    await agreedConversation(draft, entry.account, now);
  }
};
