import { Content } from '@sotto/contract/content';
import type { Bytes } from '@sotto/crypto/bytes';
import { decode } from '@sotto/crypto/canonical';
import { KIND_GROUP_MESSAGE, openEntry, openPost } from '@sotto/crypto/channel-seal';
import { CryptoError } from '@sotto/crypto/errors';
import { readGroupMessage, type GroupMessage } from '@sotto/crypto/group-message';
import { POLICY, readEntry } from '@sotto/crypto/membership-operation';
import type { Standing } from '@sotto/crypto/membership-state';
import { decryptGroupMessage } from '@sotto/crypto/sender-key-receive';
import { apply, applyNewer, type Arrival } from '../inbox/apply.ts';
import { isKnown, newerOf, isNewer } from '../inbox/decrypt.ts';
import type { GroupRow, HeldRow } from '../rows.ts';
import { stopGroup } from './group-rows.ts';
import { takeRequest } from './requests.ts';
import { applyLog, isCensor, isRevoked, knowsActor, type LogContext } from './log.ts';

/** What became of something that came of a group. */
export interface Taken {
  /** Kept as what cannot be read, and why. */
  reason?: string;
  /** Kept until a key, or the log, is there. */
  hold?: { from?: NonNullable<HeldRow['from']> };
  /** The log at the relay has to be looked at. */
  due?: boolean;
  /** A message whose author may hear that it arrived. */
  arrived?: { author: string; id: string };
}

/** What may be said in a group. */
const SAID: readonly string[] = ['text', 'edit', 'delete', 'reaction', 'profile'];

const takeEntry = async (
  context: LogContext,
  row: GroupRow,
  { sealed, at }: { sealed: Bytes; at: number },
): Promise<Taken> => {
  const { epoch, entry: bytes } = await openEntry(row.log, sealed);
  if (readEntry(bytes).entry.epoch !== epoch) return { reason: 'membership-invalid' };
  // Without the keys of who made it nothing can be said of it: those have to be fetched, and the log with them.
  if (!(await knowsActor(context, bytes))) return { hold: {}, due: true };
  const { self, now } = context;
  try {
    await applyLog(context, row, [{ bytes, at }]);
    return { due: true };
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    if (error.code === 'membership-gap') return { hold: {}, due: true };
    if (error.code === 'group-fork') {
      await stopGroup(context.draft, row, error.code, { me: self.account, now });
    }
    return { reason: error.code };
  }
};

/** Whether somebody may say something in the group, from where they stand. */
const isAllowed = (
  { state, departed = {} }: GroupRow,
  { account, epoch, kind }: { account: string; epoch: number; kind: string | undefined },
  { role, view }: Standing,
): boolean => {
  // Who was a member then, and is none any more.
  if (!role) return view === 'old' && epoch < (departed[account] ?? 0);
  const isTalk = kind === 'text' || kind === 'edit' || kind === undefined;
  const isClosed = (state!.policy & POLICY.adminsPost) !== 0 && view === 'current';
  return !(isClosed && isTalk && role === 'member');
};

const takeContent = async (
  { draft, self, now }: LogContext,
  row: GroupRow,
  { plaintext, from, at, epoch }: { plaintext: Bytes; from: GroupMessage['from']; at: number; epoch: number },
  standing: Standing,
): Promise<Taken> => {
  const value = decode(plaintext);
  const content = Content.safeParse(value).data;
  const { account } = from;
  if (!isAllowed(row, { account, epoch, kind: content?.kind }, standing)) return { reason: 'not-allowed' };
  const arrival: Arrival = {
    from,
    conversation: row.group,
    at,
    now,
    me: self.account,
    request: false,
    ...(standing.departed && { outdated: true }),
    ...(isCensor(row, { account, epoch }) && { deletesAll: true }),
  };
  if (!content || !isKnown(content)) {
    if (!isNewer(value, content)) return { reason: 'unknown-content' };
    await applyNewer(draft, newerOf(value), arrival);
    return {};
  }
  if (!SAID.includes(content.kind)) return { reason: 'unknown-content' };
  const id = await apply(draft, content, arrival);
  return id === undefined ? {} : { arrived: { author: account, id } };
};

const takeMessage = async (
  context: LogContext,
  row: GroupRow,
  { epoch, body, at }: { epoch: number; body: Bytes; at: number },
): Promise<Taken> => {
  const { draft, self, now } = context;
  const message = readGroupMessage(body);
  const { account, device } = message.from;
  // What this device sent, come back.
  if (account === self.account && device === self.device) return {};
  // It could still sign with what it has, under a key from before.
  if (await isRevoked(context, message.from)) return { reason: 'device-revoked' };
  const key: [string, string, string] = [row.group, account, device];
  const known = await draft.get('sender', key);
  try {
    const request = { keys: known?.keys, state: row.state!, epoch, message, now };
    const result = await decryptGroupMessage(request);
    if (result.outcome !== 'message') {
      return result.outcome === 'duplicate' ? {} : { reason: result.outcome };
    }
    const { state: keys, content: plaintext, standing } = result;
    draft.put('sender', { group: row.group, account, device, keys }, key);
    // Who is no member stops nothing.
    if (standing.view === 'forked' && standing.role) {
      await stopGroup(draft, row, 'group-fork', { me: self.account, now });
      return { reason: 'group-fork' };
    }
    return await takeContent(context, row, { plaintext, from: message.from, at, epoch }, standing);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    if (error.code === 'sender-key-unknown') return { hold: { from: { account, device } } };
    if (error.code === 'membership-gap') return { hold: {}, due: true };
    return { reason: error.code };
  }
};

/** Takes in what may be a request to be let in; `otherwise` where it is none. */
const asRequest = async (
  { draft, self }: LogContext,
  row: GroupRow,
  request: { sealed: Bytes; at: number },
  otherwise: Taken,
): Promise<Taken> => {
  try {
    return (await takeRequest(draft, self, row, request)) ? { due: true } : otherwise;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return { reason: error.code };
  }
};

/** Takes in a post to a group, or an entry of its log, in the draft that stores what follows from it. */
export const takePost = async (
  context: LogContext,
  { group, at, body }: Pick<HeldRow, 'group' | 'at' | 'body'>,
): Promise<Taken> => {
  const row = await context.draft.get('group', group);
  if (!row?.state) return { hold: {}, ...(row && { due: true }) };
  // Who asks to be let in is told that nobody is.
  if (row.stopped) return asRequest(context, row, { sealed: body, at }, { reason: 'group-stopped' });
  try {
    const { epoch, kind, body: inner } = await openPost(row.channels, body);
    if (epoch > row.state.epoch) return { hold: {}, due: true };
    if (kind !== KIND_GROUP_MESSAGE) return { reason: 'unknown-kind' };
    return await takeMessage(context, row, { epoch, body: inner, at });
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    if (error.code !== 'channel-key-unknown') return { reason: error.code };
  }
  try {
    return await takeEntry(context, row, { sealed: body, at });
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    if (error.code !== 'channel-key-unknown') return { reason: error.code };
  }
  // Or under a channel key that is still on its way.
  return asRequest(context, row, { sealed: body, at }, { hold: {}, due: true });
};
