import { type Arrived, tellArrived } from '../groups/arrived.ts';
import { takeHanded } from '../groups/hand-over.ts';
import { takeAnswer } from '../groups/requests.ts';
import { takePost } from '../groups/taking.ts';
import { settleTold, takeTold } from '../groups/told.ts';
import type { GroupContent, SettingsContent } from '@sotto/contract/content';
import { CryptoError } from '@sotto/crypto/errors';
import type { Handed } from '@sotto/crypto/group-carrier';
import { takeBackSeen } from '../conversations/presence.ts';
import { takeRemoval } from '../conversations/removal.ts';
import { takeSettings } from '../conversations/settings.ts';
import { forgetSeen } from '../conversations/sightings.ts';
import { takeAccount } from '../devices/hand-over.ts';
import { timely } from '../conversations/order.ts';
import { putContact } from '../conversations/draft.ts';
import type { Draft, Model } from '../model.ts';
import type { SelfRow } from '../rows.ts';
import { enqueueDelivered } from '../outbox/delivered.ts';
import { apply, applyNewer, type Arrival } from './apply.ts';
import { type Decrypted, decryptBatch, isKnown, type Known, newerOf } from './decrypt.ts';
import { fetchMessages, fetchPeers } from './fetch.ts';
import { followRepair, mayAsk, requestRepair } from './repair.ts';
import { noteHeads } from './heads.ts';
import type { Opened } from './senders.ts';

interface Context {
  draft: Draft;
  model: Model;
  self: SelfRow;
  now: number;
}

type Certain = Exclude<Opened, { later: unknown } | { group: string }>;
type FromPeer = Extract<Opened, { body: unknown }>;

/** Whether its sender may be asked to send again. Who only claims to be somebody gets no answer of any kind. */
const mayAskSender = async (
  { draft, self }: Pick<Context, 'draft' | 'self'>,
  { envelope, peer, stranger }: FromPeer,
): Promise<boolean> => !stranger && !envelope.request && (await mayAsk(draft, self, peer.account));

/** Keeps an envelope that cannot be read, with the reason, and asks for what it may have held. */
const setAside = async (
  context: Context,
  opened: Certain,
  { reason, repair = false }: { reason: string; repair?: boolean },
): Promise<void> => {
  const { draft, now } = context;
  const { id } = opened.envelope;
  draft.put('aside', { envelope: id, at: now, reason }, id);
  draft.put('seen', { envelope: id, at: now }, id);
  if (repair && 'peer' in opened && (await mayAskSender(context, opened)))
    await requestRepair(draft, opened.peer, now);
};

const isGroupId = (id: string): boolean => id.length === 22;

/** What another device of this account says was sent, or read, in a conversation. */
const takeSync = async (
  draft: Draft,
  { conversation, sent, at }: Extract<Known, { kind: 'sync' }>,
  arrival: Arrival,
): Promise<void> => {
  // Of a group that this device knows nothing of.
  if (isGroupId(conversation) && !(await draft.get('conversation', conversation))) return;
  const place = at !== undefined && { at: timely(at, arrival.now), placed: true as const };
  const there: Arrival = { ...arrival, conversation, ...place };
  if (isKnown(sent)) await apply(draft, sent, there);
  else await applyNewer(draft, newerOf(sent), there);
};

/** What is said of a group between two. */
const takeOfSession = async (
  { draft, self, now }: Context,
  content: GroupContent,
  from: FromPeer['peer'],
): Promise<void> => {
  await takeTold(draft, content, from, { me: self.account, now });
  await takeAnswer(draft, content, from.account, now);
};

/** What another device of this account says was chosen. What this one said of the person it takes back itself. */
const takeChosen = async ({ draft, model, now }: Context, content: SettingsContent): Promise<void> => {
  const before = (await draft.get('self', 'self'))!;
  await takeSettings(draft, content, now);
  takeBackSeen(draft, model, { before, after: (await draft.get('self', 'self'))! });
};

/** Takes in what a message held; the id of one whose author is to hear that it arrived. */
const takeContent = async (
  context: Context,
  opened: FromPeer,
  { content, sending }: Extract<Decrypted, { content: unknown }>,
  arrival: Arrival,
): Promise<string | undefined> => {
  const { draft, model, self, now } = context;
  const isBlocked = self.blocked?.includes(opened.peer.account) ?? false;
  switch (content.kind) {
    case 'repair':
      if (!isBlocked) await followRepair(draft, model, opened.peer, { self, now, sending });
      return undefined;
    case 'sync':
      await takeSync(draft, content, arrival);
      return undefined;
    case 'presence':
      // Stored, it only takes back.
      if (!content.seen) await forgetSeen(draft, opened.peer.account);
      return undefined;
    case 'settings':
      await takeChosen(context, content);
      return undefined;
    case 'account':
      await takeAccount(draft, content, now);
      return undefined;
    case 'remove':
      await takeRemoval(draft, model, content, { me: self.account, now });
      return undefined;
    case 'group':
      if (!isBlocked) await takeOfSession(context, content, opened.peer);
      return undefined;
    default:
      return apply(draft, content, arrival);
  }
};

/** Takes in a key of a group. */
const takeKey = async (context: Context, opened: FromPeer, handed: Handed): Promise<string | undefined> => {
  const { draft, self, now } = context;
  if (self.blocked?.includes(opened.peer.account)) return undefined;
  try {
    const at = { me: self.account, now };
    const group = await takeHanded(draft, opened.peer, handed, at);
    await settleTold(draft, group, at);
    return group;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    await setAside(context, opened, { reason: error.code });
    return undefined;
  }
};

/** Takes in what came of a group; whether something of it is left to do. */
const takeOfGroup = async (
  { draft, self, now }: Context,
  { envelope, group }: Extract<Opened, { group: string }>,
  arrived: Arrived[],
): Promise<{ group: string; due: boolean } | undefined> => {
  const { id, body } = envelope;
  const at = timely(envelope.at, now);
  const taken = await takePost({ draft, self, now }, { group, envelope: id, at, body });
  draft.put('seen', { envelope: id, at: now }, id);
  if (taken.reason) {
    draft.put('aside', { envelope: id, at: now, reason: taken.reason }, id);
    return taken.due ? { group, due: true } : undefined;
  }
  if (taken.arrived) arrived.push({ group, ...taken.arrived });
  if (taken.hold) {
    draft.put('held', { group, envelope: id, at, since: now, body, ...taken.hold }, [group, id]);
  }
  return taken.hold || taken.due ? { group, due: taken.due ?? false } : undefined;
};

/** What is left to do once a batch is stored. */
export interface Rest {
  /** The devices that something came from and that may be asked for more. */
  peers: [account: string, device: string][];
  /** Groups that something waits in; `due`: their log has to be looked at. */
  groups: { group: string; due: boolean }[];
}

/** Takes in one batch, in the draft that stores all that follows from it. */
export const takeBatch = async (context: Context, batch: readonly Opened[]): Promise<Rest> => {
  const { draft, model, self, now } = context;
  await fetchPeers(draft, batch);
  const results = await decryptBatch(draft, self, batch, now);
  await fetchMessages(draft, batch, results);
  const arrived = new Map<string, string[]>();
  const peers: [string, string][] = [];
  const groups: Rest['groups'] = [];
  const ofGroups: Arrived[] = [];
  for (const [index, opened] of batch.entries()) {
    if ('group' in opened) {
      const left = await takeOfGroup(context, opened, ofGroups);
      if (left) groups.push(left);
      continue;
    }
    const result = results[index];
    if (!result || 'later' in opened) continue;
    if ('reason' in result) {
      await setAside(context, opened, result);
      continue;
    }
    const { id, request } = opened.envelope;
    const at = timely(opened.envelope.at, now);
    draft.put('seen', { envelope: id, at: now }, id);
    if ('duplicate' in result || 'reason' in opened) continue;
    const { account, device } = opened.peer;
    if (await mayAskSender(context, opened)) peers.push([account, device]);
    const { stranger } = opened;
    if (stranger && !(await draft.get('contact', account))) putContact(draft, stranger);
    if ('heads' in result && result.heads && !self.blocked?.includes(account))
      await noteHeads(draft, self, account, result.heads);
    const from = { account, device };
    const me = self.account;
    const arrival: Arrival = { from, conversation: account, at, now, me, request: request === true };
    if ('handed' in result) {
      const group = await takeKey(context, opened, result.handed);
      if (group !== undefined) groups.push({ group, due: true });
    } else if ('newer' in result) await applyNewer(draft, result.newer, arrival);
    else {
      const message = await takeContent(context, opened, result, arrival);
      if (message !== undefined) arrived.set(account, [...(arrived.get(account) ?? []), message]);
    }
  }
  for (const [account, messages] of arrived) await enqueueDelivered(draft, model, account, messages);
  await tellArrived(draft, ofGroups, self.account);
  return { peers, groups };
};
