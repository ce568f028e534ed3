import type { Audience, SettingsContent } from '@sotto/contract/content';
import type { DeliveryToken } from '@sotto/contract/ids';
import { encode } from '@sotto/crypto/canonical';
import { timeAfter } from '../clock.ts';
import { hasOthers } from '../devices/sync.ts';
import type { Draft, Model } from '../model.ts';
import type { SelfRow, Settings, StoredSettings } from '../rows.ts';
import { randomId } from '../random-id.ts';
import { blocksOf, mergeBlocks, wireBlocks, withBlocks } from './blocks.ts';
import { enqueue } from './draft.ts';
import { profileOf } from './outgoing.ts';

const audienceOf = (said: Audience | boolean = true): Audience =>
  typeof said === 'string' ? said : said ? 'everyone' : 'nobody';

const nearOf = (said: StoredSettings['presence'] = true): Settings['presence'] =>
  typeof said === 'string' ? said : said ? 'contacts' : 'nobody';

/** What was not said is what it is until the person chooses; who kept that they are there keeps when they were. */
const read = ({ receipts, typing, presence, lastSeen }: Partial<StoredSettings>): Settings => ({
  receipts: audienceOf(receipts),
  typing: audienceOf(typing),
  presence: nearOf(presence),
  lastSeen: nearOf(lastSeen ?? presence),
});

export const settingsOf = ({ settings = {} }: { settings?: Partial<StoredSettings> }): Settings =>
  read(settings);

/** What the person chose, as it goes to the other devices of the account; nothing while they chose nothing. */
export const settingsContents = (self: SelfRow): SettingsContent[] => {
  const { settings, name, delivery } = self;
  if (!settings) return [];
  return wireBlocks(self).map((blocked) => ({
    kind: 'settings',
    sentAt: settings.sentAt,
    ...settingsOf(self),
    name,
    blocked,
    token: delivery as DeliveryToken,
  }));
};

/** Nobody is let in with the old token any more. */
export const withNewToken = (self: SelfRow): SelfRow => ({
  ...self,
  delivery: randomId(),
  deliveryDue: true,
});

/** Stores what the person chose, and tells the other devices of the account. */
export const putSettings = (draft: Draft, self: SelfRow, now: number): SelfRow => {
  // A clock that was put back does not make the latest choice an old one.
  const sentAt = timeAfter(now, [self.settings?.sentAt]);
  const next: SelfRow = { ...self, settings: { ...settingsOf(self), sentAt } };
  draft.put('self', next, 'self');
  if (hasOthers(next)) for (const content of settingsContents(next)) enqueue(draft, next.account, content);
  return next;
};

/** Whether `a` was chosen after `b`; of one moment, every device takes the same. */
const isLater = (a: SettingsContent, b: SettingsContent): boolean => {
  const choice = (content: SettingsContent) => toHex(encode({ ...content, blocked: [] }));
  return a.sentAt > b.sentAt || (a.sentAt === b.sentAt && choice(a) > choice(b));
};

const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** What another device of this account says was chosen. */
export const takeSettings = async (draft: Draft, said: SettingsContent, now: number): Promise<void> => {
  const before = (await draft.get('self', 'self'))!;
  const chosen = read(said);
  const content: SettingsContent = { ...said, ...chosen };
  const { sentAt, name, token } = content;
  const self = withBlocks(before, mergeBlocks(before.blocks ?? {}, blocksOf(content.blocked)));
  const [known] = settingsContents(before);
  if (known && !isLater(content, known)) {
    const isNews = (self.blocked ?? []).some((account) => !before.blocked?.includes(account));
    // Who was blocked there may have been given the token that counts by this device.
    if (isNews && token !== self.delivery) putSettings(draft, withNewToken(self), now);
    else draft.put('self', self, 'self');
    return;
  }
  // Two devices may have made a token each: the relay has to end up with the one that counts.
  const due = token !== self.delivery && !self.joining && { deliveryDue: true as const };
  draft.put('self', { ...self, name, delivery: token, ...due, settings: { ...chosen, sentAt } }, 'self');
};

/** Says how one is called, and what lets into one's inbox, to everybody whom one has told before. */
export const shareProfile = (draft: Draft, model: Pick<Model, 'contacts'>, self: SelfRow): void => {
  for (const { account, introduced } of model.contacts.values()) {
    if (introduced && !self.blocked?.includes(account)) enqueue(draft, account, profileOf(self));
  }
};
