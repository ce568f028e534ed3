import type { Content, SyncContent } from '@sotto/contract/content';
import type { Address } from '@sotto/crypto/address';
import type { PublicDevice } from '@sotto/crypto/handshake';
import { RESEND_LIFETIME } from '@sotto/crypto/limits';
import { mayResend, NO_REPAIRS, tryRepair, tryResend } from '@sotto/crypto/repair';
import { emptyPeer } from '@sotto/crypto/session-state';
import { handAll } from '../groups/devices.ts';
import { contentsOf } from '../conversations/content.ts';
import type { Draft, Model } from '../model.ts';
import type { Store } from '../ports.ts';
import type { AccountKeys, MessageRow, OutboxRow, SelfRow } from '../rows.ts';

/** A request leaves after up to this long, at random, in ms: its time says nothing of which check failed. */
const JITTER_MS = 3_000;
/** How far back a resend looks. */
const RECENT = 100;

const enqueueFor = (
  draft: Draft,
  { account, device }: Address,
  content: Content,
  notBefore?: number,
): void => {
  const seq = draft.nextSeq();
  const later = notBefore === undefined ? {} : { notBefore };
  draft.put('outbox', { seq, conversation: account, to: device, content, ...later }, seq);
};

/** Whether somebody may be asked to send again: strangers and who is blocked get no answer of any kind. */
export const mayAsk = async (draft: Draft, { blocked }: SelfRow, account: string): Promise<boolean> =>
  !blocked?.includes(account) && !(await draft.get('conversation', account))?.request;

/** A request to repair that leaves never: what is missing of the device is to be asked for again. */
export const requestDropped = async (draft: Draft, row: OutboxRow): Promise<void> => {
  if (row.content.kind !== 'repair' || row.to === undefined) return;
  const key: [string, string] = [row.conversation, row.to];
  const peer = await draft.get('peer', key);
  if (peer?.asked) draft.put('peer', { ...peer, asked: 0 }, key);
};

/**
 * Something from a device could not be read: the next message to it starts a new session and asks for what never
 * arrived. At most once an hour for each device, whatever comes; true when it was done now.
 */
export const requestRepair = async (draft: Draft, peer: Address, now: number): Promise<boolean> => {
  const { account, device } = peer;
  const known = await draft.get('peer', [account, device]);
  const repairs = tryRepair(known?.repairs ?? NO_REPAIRS, now);
  if (!repairs) return false;
  const row = { state: emptyPeer(peer), ...known, account, device, repairs, renew: true };
  draft.put('peer', row, [account, device]);
  enqueueFor(draft, peer, { kind: 'repair' }, now + Math.random() * JITTER_MS);
  return true;
};

const sinceOf = ({ devices }: AccountKeys, device: string): number =>
  devices.find((entry) => entry.device === device)?.since ?? Infinity;

/** Whether a message that the relay took is still owed to the device that asks for it. */
const isOwed = (
  { at, reached }: MessageRow,
  requester: PublicDevice,
  { since, now }: { since: number; now: number },
): boolean => {
  // What was sent before the device was there was never for it.
  if (at === undefined || at < since) return false;
  const { account, device, identity } = requester;
  const acknowledged = reached?.[account]?.[device] !== undefined;
  // A device has one identity key for as long as the chain names it.
  const sent = { to: { account, device }, identity, at, acknowledged };
  return mayResend({ sent, requester: { account, device, identity }, now });
};

/** Sends again, under the same message ids, what this device sent to the one that asks and that was never confirmed. */
const resend = async (
  draft: Draft,
  store: Store,
  self: SelfRow,
  requester: PublicDevice,
  now: number,
): Promise<void> => {
  const { account, device } = requester;
  const contact = await draft.get('contact', account);
  if (!contact) return;
  const since = sinceOf(contact, device);
  const rows = await store.messages({ conversation: account }, { limit: RECENT });
  for (const { id } of rows.toReversed()) {
    const message = await draft.get('message', [account, id]);
    if (message?.device !== self.device || !isOwed(message, requester, { since, now })) continue;
    for (const content of contentsOf(message)) enqueueFor(draft, requester, content);
  }
};

/** The same for another device of one's own, which confirms nothing: what this one sent lately, wherever. */
const resendOwn = async (
  draft: Draft,
  { store, conversations }: Model,
  self: SelfRow,
  requester: PublicDevice,
  now: number,
): Promise<void> => {
  const since = Math.max(sinceOf(self, requester.device), now - RESEND_LIFETIME);
  for (const { id, last } of conversations.values()) {
    if (!last || last.order < since) continue;
    const rows = await store.messages({ conversation: id }, { limit: RECENT });
    for (const row of rows.toReversed()) {
      if (row.device !== self.device || row.at === undefined || row.at < since) continue;
      for (const sent of contentsOf(row)) {
        const conversation = id as SyncContent['conversation'];
        enqueueFor(draft, requester, { kind: 'sync', conversation, sent, at: row.order });
      }
    }
  }
};

/**
 * Follows a request to repair. A session that is not the one in which this device sends shows that the other side has
 * lost that one, and its count of sessions with it: only a newer session of this side is sure to be used by both.
 */
export const followRepair = async (
  draft: Draft,
  model: Model,
  peer: PublicDevice,
  { self, now, sending }: { self: SelfRow; now: number; sending: boolean },
): Promise<void> => {
  const { account, device } = peer;
  const known = await draft.get('peer', [account, device]);
  const repairs = known && tryResend(known.repairs, now);
  if (!repairs) return;
  draft.put('peer', { ...known, repairs, renew: known.renew || !sending }, [account, device]);
  if (account === self.account) await resendOwn(draft, model, self, peer, now);
  else await resend(draft, model.store, self, peer, now);
  await handAll(draft, model, { account, device }, now);
};
