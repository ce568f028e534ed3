import type { MessageId } from '@sotto/contract/ids';
import type { Address } from '@sotto/crypto/address';
import { RESEND_LIFETIME } from '@sotto/crypto/limits';
import { NO_REPAIRS, tryRepair, tryResend } from '@sotto/crypto/repair';
import { emptyPeer } from '@sotto/crypto/session-state';
import { enqueue } from '../conversations/draft.ts';
import type { Draft } from '../model.ts';
import type { Store } from '../ports.ts';

/** A request leaves after up to this long, at random, in ms: its time says nothing of which check failed. */
const JITTER_MS = 3_000;
/** How far back a resend looks. */
const RECENT = 100;

/**
 * Something from a device could not be read: the next message to it starts a new session and asks for what never
 * arrived. At most once an hour for each device, whatever comes.
 */
export const requestRepair = async (draft: Draft, peer: Address, now: number): Promise<void> => {
  const { account, device } = peer;
  const known = await draft.get('peer', [account, device]);
  const repairs = tryRepair(known?.repairs ?? NO_REPAIRS, now);
  if (!repairs) return;
  const state = known?.state ?? emptyPeer(peer);
  draft.put('peer', { account, device, state, repairs, renew: true }, [account, device]);
  enqueue(draft, account, { kind: 'repair' }, now + Math.random() * JITTER_MS);
};

/** Sends again, under the same message ids, what a contact asks for: what the relay took and they never confirmed. */
const resend = async (
  draft: Draft,
  store: Store,
  account: string,
  me: string,
  now: number,
): Promise<void> => {
  const rows = await store.messages(account, { limit: RECENT });
  for (const { id } of rows.toReversed()) {
    const message = await draft.get('message', [account, id]);
    if (message?.from !== me || message.status !== 'sent' || now >= message.at! + RESEND_LIFETIME) continue;
    const { sentAt, text } = message;
    enqueue(draft, account, { kind: 'text', id: id as MessageId, sentAt, text });
  }
};

/**
 * Follows a request to repair. A session that is not the one in which this device sends shows that the other side has
 * lost that one, and its count of sessions with it: only a newer session of this side is sure to be used by both.
 */
export const followRepair = async (
  draft: Draft,
  store: Store,
  peer: Address,
  { me, now, sending }: { me: string; now: number; sending: boolean },
): Promise<void> => {
  const { account, device } = peer;
  const known = await draft.get('peer', [account, device]);
  const repairs = known && tryResend(known.repairs, now);
  if (!repairs) return;
  draft.put('peer', { ...known, repairs, renew: known.renew || !sending }, [account, device]);
  await resend(draft, store, account, me, now);
};
