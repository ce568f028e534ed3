import { takeAccount } from '../devices/hand-over.ts';
import { putContact } from '../conversations/draft.ts';
import type { Draft, Model } from '../model.ts';
import type { SelfRow } from '../rows.ts';
import { apply, applyNewer, type Arrival, enqueueReceipts } from './apply.ts';
import { type Decrypted, decryptBatch, isKnown, type Known, newerOf } from './decrypt.ts';
import { followRepair, requestRepair } from './repair.ts';
import type { Opened } from './senders.ts';

interface Context {
  draft: Draft;
  model: Model;
  self: SelfRow;
  now: number;
}

type Certain = Exclude<Opened, { later: true }>;
type FromPeer = Extract<Opened, { body: unknown }>;

/** Keeps an envelope that cannot be read, with the reason, and asks for what it may have held. */
const setAside = async (
  { draft, self, now }: Context,
  opened: Certain,
  { reason, repair = false }: { reason: string; repair?: boolean },
): Promise<void> => {
  const { id, at, body, request } = opened.envelope;
  draft.put('aside', { envelope: id, at, reason, body }, id);
  // A stranger, or who only claims to be somebody, gets no answer of any kind.
  if (!repair || !('peer' in opened) || opened.stranger || request) return;
  if (self.blocked?.includes(opened.peer.account)) return;
  await requestRepair(draft, opened.peer, now);
};

/** What another device of this account says was sent, or read, in a conversation. */
const takeSync = async (
  draft: Draft,
  { conversation, sent, at }: Extract<Known, { kind: 'sync' }>,
  arrival: Arrival,
): Promise<void> => {
  const there: Arrival = { ...arrival, conversation, ...(at !== undefined && { at, placed: true }) };
  if (isKnown(sent)) await apply(draft, sent, there);
  else await applyNewer(draft, newerOf(sent), there);
};

/** Takes in what a message held; the id of one whose author is to hear that it arrived. */
const takeContent = async (
  { draft, model, self, now }: Context,
  opened: FromPeer,
  { content, sending }: Extract<Decrypted, { content: unknown }>,
  arrival: Arrival,
): Promise<string | undefined> => {
  const isBlocked = self.blocked?.includes(opened.peer.account) ?? false;
  switch (content.kind) {
    case 'repair':
      if (!isBlocked) await followRepair(draft, model, opened.peer, { self, now, sending });
      return undefined;
    case 'sync':
      await takeSync(draft, content, arrival);
      return undefined;
    case 'account':
      await takeAccount(draft, content, now);
      return undefined;
    default:
      return apply(draft, content, arrival);
  }
};

/**
 * Takes in one batch, in the draft that stores all that follows from it. Returns the devices that something came from.
 */
export const takeBatch = async (
  context: Context,
  batch: readonly Opened[],
): Promise<[account: string, device: string][]> => {
  const { draft, self, now } = context;
  const results = await decryptBatch(draft, self, batch, now);
  const arrived = new Map<string, string[]>();
  const peers: [string, string][] = [];
  for (const [index, opened] of batch.entries()) {
    const result = results[index];
    if (!result || 'later' in opened) continue;
    if ('reason' in result) {
      await setAside(context, opened, result);
      continue;
    }
    const { id, at, request } = opened.envelope;
    draft.put('seen', { envelope: id, at }, id);
    if ('duplicate' in result || 'reason' in opened) continue;
    const { account, device } = opened.peer;
    peers.push([account, device]);
    const { stranger } = opened;
    if (stranger && !(await draft.get('contact', account))) putContact(draft, stranger);
    const from = { account, device };
    const me = self.account;
    const arrival: Arrival = { from, conversation: account, at, now, me, request: request === true };
    if ('newer' in result) await applyNewer(draft, result.newer, arrival);
    else {
      const message = await takeContent(context, opened, result, arrival);
      if (message !== undefined) arrived.set(account, [...(arrived.get(account) ?? []), message]);
    }
  }
  for (const [account, messages] of arrived) enqueueReceipts(draft, account, 'delivered', messages);
  return peers;
};
