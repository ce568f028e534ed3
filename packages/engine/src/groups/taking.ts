import { Content } from '@sotto/contract/content';
import { equal, type Bytes } from '@sotto/crypto/bytes';
import { decode } from '@sotto/crypto/canonical';
import { KIND_GROUP_MESSAGE, namedIn, openEntry, openPost } from '@sotto/crypto/channel-seal';
import { CryptoError } from '@sotto/crypto/errors';
import { readGroupMessage, type GroupMessage } from '@sotto/crypto/group-message';
import { entryHash, readEntry } from '@sotto/crypto/membership-operation';
import { isInHistory, type Standing } from '@sotto/crypto/membership-state';
import { decryptGroupMessage } from '@sotto/crypto/sender-key-receive';
import { apply, applyNewer, type Arrival } from '../inbox/apply.ts';
import { isKnown, newerOf, isNewer } from '../inbox/decrypt.ts';
import type { GroupRow, HeldRow } from '../rows.ts';
import { putGroup, stopGroup } from './group-rows.ts';
import { applyLog, isRevoked, type LogContext } from './log.ts';
import { takeRequest } from './requests.ts';
import { isCensor, isStale, isWriter, withReached } from './rights.ts';

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

/** What the relay has just shown as the log of a group, in order, from what was known of it on. */
export interface ShownLog {
  /** Where the relay says that it ends. */
  epoch: number;
  entries: readonly { epoch: number; bytes: Bytes }[];
  /** What had come by when it was asked. */
  before: ReadonlySet<string>;
  /** Who acted in it and whose keys cannot be had. */
  lost?: ReadonlySet<string>;
  /** It leads to where this account is out. */
  parting?: true;
}

/**
 * Any member can post what looks like an entry: it tells when the relay took one, and has the log looked at. What happened
 * the log alone says.
 */
const takeEntry = async (
  context: LogContext,
  row: GroupRow,
  { envelope, sealed, at }: { envelope: string; sealed: Bytes; at: number },
  log: ShownLog | undefined,
): Promise<Taken> => {
  const { epoch, entry: bytes } = await openEntry(row.log, sealed);
  const { entry, content } = readEntry(bytes);
  if (entry.epoch !== epoch) return { reason: 'membership-invalid' };
  const state = row.state!;
  let next = row;
  if (epoch > state.epoch) {
    if (!log || (epoch > log.epoch && !log.before.has(envelope))) return { hold: {}, due: true };
    const shown = log.entries.filter((one) => one.epoch > state.epoch && one.epoch <= epoch);
    const last = shown.at(-1);
    if (last?.epoch !== epoch || !equal(last.bytes, bytes)) return { reason: 'membership-invalid' };
    try {
      const { lost, parting } = log;
      next = await applyLog({ ...context, lost, parting }, row, [...shown.slice(0, -1), { bytes, at }]);
    } catch (error) {
      // Somebody is gone who made one of these, and who stands for it comes later in the log.
      if (error instanceof CryptoError && error.code === 'membership-gap') return { hold: {} };
      throw error;
    }
  } else if (!isInHistory(state, epoch, await entryHash(content))) return { reason: 'group-fork', due: true };
  const timed = withReached(next, epoch, at);
  if (timed !== next) putGroup(context.draft, timed);
  return { due: true };
};

/** Whether somebody may say something in the group, from where they stand. */
const isAllowed = (
  row: GroupRow,
  said: { account: string; epoch: number; kind: string | undefined },
  { role, view }: Standing,
): boolean => {
  const { account, epoch, kind } = said;
  // Who was a member then, and is none any more.
  if (!role && !(view === 'old' && epoch < (row.departed?.[account] ?? 0))) return false;
  const isTalk = kind === 'text' || kind === 'edit' || kind === undefined;
  return !isTalk || isWriter(row, said);
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
    if (isStale(row, { epoch, at })) return { reason: 'stale-epoch' };
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

/**
 * Whether no key can come that opens a post: its epoch is the present one, whose key the log names. Requests stand at epoch 0,
 * whichever link they are by, once the log shows no such link; and messages from before another was taken, whose key may come.
 */
const isUnknowable = (
  row: GroupRow,
  { envelope, at, body }: Pick<HeldRow, 'envelope' | 'at' | 'body'>,
  log: ShownLog | undefined,
): boolean => {
  const state = row.state!;
  const named = namedIn(body);
  if (!named || equal(named.id, state.channel)) return false;
  if (named.epoch > 0) return named.epoch === state.epoch;
  const isRead = log !== undefined && log.epoch <= state.epoch && log.before.has(envelope);
  const isLinkKnown = !state.fields.settings || row.texts?.settings !== undefined;
  return isRead && isLinkKnown && (state.epoch === 0 || isStale(row, { epoch: 0, at }));
};

/** Takes in a post to a group, or an entry of its log, in the draft that stores what follows from it. */
export const takePost = async (
  context: LogContext,
  { group, envelope, at, body }: Pick<HeldRow, 'group' | 'envelope' | 'at' | 'body'>,
  log?: ShownLog,
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
    return await takeEntry(context, row, { envelope, sealed: body, at }, log);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    if (error.code !== 'channel-key-unknown') return { reason: error.code };
  }
  const isLost = isUnknowable(row, { envelope, at, body }, log);
  // Or under a channel key that is still on its way.
  const otherwise = { ...(isLost ? { reason: 'channel-key-unknown' } : { hold: {} }), due: true };
  return asRequest(context, row, { sealed: body, at }, otherwise);
};
