import type { SettingsContent } from '@sotto/contract/content';
import type { AccountId, DeliveryToken } from '@sotto/contract/ids';
import { encode } from '@sotto/crypto/canonical';
import { hasOthers } from '../devices/sync.ts';
import type { Draft, Model } from '../model.ts';
import type { SelfRow, Settings } from '../rows.ts';
import { enqueue } from './draft.ts';
import { profileOf } from './outgoing.ts';

/** Until the person chooses. */
export const settingsOf = ({ settings }: SelfRow): Settings => {
  const { receipts = true, typing = true, presence = true } = settings ?? {};
  return { receipts, typing, presence };
};

const contentOf = (self: SelfRow): SettingsContent => ({
  kind: 'settings',
  sentAt: self.settings!.sentAt,
  ...settingsOf(self),
  name: self.name,
  blocked: (self.blocked ?? []) as AccountId[],
  token: self.delivery as DeliveryToken,
});

/** Stores what the person chose, and tells the other devices of the account. */
export const putSettings = (draft: Draft, self: SelfRow, now: number): SelfRow => {
  // A clock that was put back does not make the latest choice an old one.
  const sentAt = Math.max(now, (self.settings?.sentAt ?? 0) + 1);
  const next: SelfRow = { ...self, settings: { ...settingsOf(self), sentAt } };
  draft.put('self', next, 'self');
  if (hasOthers(next)) enqueue(draft, next.account, contentOf(next));
  return next;
};

/** Whether `a` was chosen after `b`; of one moment, every device takes the same. */
const isLater = (a: SettingsContent, b: SettingsContent): boolean =>
  a.sentAt > b.sentAt || (a.sentAt === b.sentAt && toHex(encode(a)) > toHex(encode(b)));

const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** What another device of this account says was chosen. */
export const takeSettings = async (draft: Draft, content: SettingsContent): Promise<void> => {
  const self = (await draft.get('self', 'self'))!;
  const { kind: _, sentAt, name, blocked, token, receipts, typing, presence } = content;
  if (self.settings && !isLater(content, contentOf(self))) return;
  const settings = { receipts, typing, presence, sentAt };
  // Two devices may have made a token each: the relay has to end up with the one that counts.
  const due = token !== self.delivery && { deliveryDue: true as const };
  draft.put('self', { ...self, name, blocked, delivery: token, ...due, settings }, 'self');
};

/** Says how one is called, and what lets into one's inbox, to everybody whom one has told before. */
export const shareProfile = (draft: Draft, model: Pick<Model, 'contacts'>, self: SelfRow): void => {
  for (const { account, introduced } of model.contacts.values()) {
    if (introduced && !self.blocked?.includes(account)) enqueue(draft, account, profileOf(self));
  }
};
