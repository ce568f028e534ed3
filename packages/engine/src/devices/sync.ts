import type { AccountContent, Content, SyncContent } from '@sotto/contract/content';
import type { DeliveryToken, Handle } from '@sotto/contract/ids';
import { enqueue } from '../conversations/draft.ts';
import type { Draft } from '../model.ts';
import type { ContactRow, OutboxRow, SelfRow } from '../rows.ts';

/** What is said in a conversation, and so to one's own other devices as well. */
type Conversational = SyncContent['sent'];

const CONVERSATIONAL: readonly string[] = ['text', 'attachment', 'reaction', 'edit', 'delete', 'receipt'];

const isConversational = (content: Content): content is Conversational =>
  CONVERSATIONAL.includes(content.kind);

/** Whether the account has another device than this. */
export const hasOthers = ({ device, devices }: SelfRow): boolean =>
  devices.some((other) => other.device !== device);

/** Tells one's own other devices, if there are any, what was sent or read in a conversation; `at` is its place. */
export const enqueueSync = (
  draft: Draft,
  self: SelfRow,
  conversation: string,
  sent: Conversational,
  { at, notBefore }: { at?: number; notBefore?: number } = {},
): void => {
  if (!hasOthers(self)) return;
  const content = { kind: 'sync' as const, conversation: conversation as SyncContent['conversation'], sent };
  enqueue(draft, self.account, at === undefined ? content : { ...content, at }, notBefore);
};

/** A content as it is said to one's own devices: what is a note to oneself there travels as a `sync`. */
export const ownContent = ({ account }: SelfRow, content: Content): Content =>
  isConversational(content)
    ? { kind: 'sync', conversation: account as SyncContent['conversation'], sent: content }
    : content;

/** What of an accepted row the other devices of this account have to hear. */
export const toSync = (
  { conversation, content, to }: OutboxRow,
  self: SelfRow,
): Conversational | undefined => {
  if (conversation === self.account || to !== undefined || !isConversational(content)) return undefined;
  return content.kind === 'receipt' && content.status === 'delivered' ? undefined : content;
};

/** What another device of the account has to know of contacts. Whether they are verified it finds out by itself. */
export const accountContent = (
  { name, delivery }: SelfRow,
  contacts: readonly ContactRow[],
): AccountContent => ({
  kind: 'account',
  name,
  ...(delivery !== '' && { token: delivery as DeliveryToken }),
  contacts: contacts.map((contact) => ({
    account: contact.account as AccountContent['contacts'][number]['account'],
    handle: contact.handle as Handle,
    ...(contact.name !== undefined && { name: contact.name }),
    ...(contact.token !== undefined && { token: contact.token as DeliveryToken }),
  })),
});
