import { Content, Heads } from '@sotto/contract/content';
import { MessageId } from '@sotto/contract/ids';
import { decode, encode } from '@sotto/crypto/canonical';
import { CryptoError } from '@sotto/crypto/errors';
import type { Handed } from '@sotto/crypto/group-carrier';
import type { NamedPrekeys, PublicDevice } from '@sotto/crypto/handshake';
import type { OwnPrekey } from '@sotto/crypto/prekeys';
import { asksRepair, NO_REPAIRS } from '@sotto/crypto/repair';
import { decrypt } from '@sotto/crypto/session';
import { handshakeOf } from '@sotto/crypto/session-body';
import type { Draft } from '../model.ts';
import type { SelfRow } from '../rows.ts';
import { ownDevice } from '../sessions.ts';
import { withMissing } from './missing.ts';
import type { Opened } from './senders.ts';

/** The kinds of content that this version acts on; all others are kept for one that does. */
const KNOWN = [
  'text',
  'edit',
  'delete',
  'reaction',
  'receipt',
  'presence',
  'profile',
  'repair',
  'group',
] as const;
/** Those that come from other devices of one's own account alone. */
const OWN = ['sync', 'settings', 'account', 'remove'] as const;
/** What another device of the account may say: all else is said in a conversation. */
const FROM_OWN: readonly string[] = [...OWN, 'profile', 'repair', 'group'];

export type Known = Extract<Content, { kind: (typeof KNOWN)[number] | (typeof OWN)[number] }>;

export const isKnown = (content: Content): content is Known =>
  [...KNOWN, ...OWN].some((kind) => kind === content.kind);

/** Something for a later version: its own id, where it has one, and all of it. */
export interface Newer {
  id: string | undefined;
  bytes: Uint8Array<ArrayBuffer>;
}

const LIVE: readonly string[] = ['typing', 'presence'];
const KINDS: readonly string[] = Content.def.options.flatMap(({ def }) => def.shape.kind.def.values);

/** Well-formed by this version's schema, or of a kind that it does not have. Live signals do not come this way. */
export const isNewer = (value: unknown, content: Content | undefined): boolean => {
  const { kind } = (value ?? {}) as { kind?: unknown };
  if (typeof kind !== 'string' || LIVE.includes(kind)) return false;
  return content !== undefined || !KINDS.includes(kind);
};

/** What a message holds that this version does not act on. */
export const newerOf = (value: unknown): Newer => ({
  id: MessageId.safeParse((value as { id?: unknown }).id).data,
  bytes: encode(value),
});

/** The prekeys that a first message names, as far as they are still here. */
const namedPrekeys = async (draft: Draft, body: Uint8Array): Promise<NamedPrekeys> => {
  const handshake = handshakeOf(body);
  if (!handshake) return {};
  const { signedId, oneTimeId, pqKind, pqId } = handshake;
  return {
    signed: (await draft.get('prekey', ['signed', signedId])) as OwnPrekey<'signed'> | undefined,
    ...(oneTimeId !== undefined && {
      oneTime: (await draft.get('prekey', ['one-time', oneTimeId])) as OwnPrekey<'one-time'> | undefined,
    }),
    pq: (await draft.get('prekey', [pqKind, pqId])) as NamedPrekeys['pq'],
  };
};

/** A content, and what stands beside it. */
const withoutHeads = (whole: unknown): { value: unknown; heads?: Heads | undefined } => {
  if (typeof whole !== 'object' || whole === null || !('heads' in whole)) return { value: whole };
  const { heads, ...value } = whole;
  return { value, heads: Heads.safeParse(heads).data };
};

/** What a plaintext says, and whether its sender may say it. */
const read = (
  plaintext: Uint8Array,
  isOwn: boolean,
): ({ content: Known } | { newer: Newer } | { reason: string }) & { heads?: Heads | undefined } => {
  try {
    const { value, heads } = withoutHeads(decode(plaintext));
    const content = Content.safeParse(value).data;
    if (!content || !isKnown(content)) {
      const keeps = !isOwn && isNewer(value, content);
      return keeps ? { newer: newerOf(value), heads } : { reason: 'unknown-content' };
    }
    if (isOwn ? FROM_OWN.includes(content.kind) : !OWN.some((kind) => kind === content.kind))
      return { content, heads };
    return { reason: isOwn ? 'from-self' : 'not-from-self' };
  } catch (error) {
    if (error instanceof CryptoError) return { reason: error.code };
    throw error;
  }
};

export type Decrypted =
  | { content: Known; sending: boolean; heads?: Heads | undefined }
  /** A key of a group. */
  | { handed: Handed }
  /** Well-formed, and of a kind that this version does not act on. */
  | { newer: Newer; heads?: Heads | undefined }
  | { reason: string; repair?: boolean }
  | { duplicate: true };

/**
 * Decrypts in the session with the sender's device; `sending` tells whether that is the one in which this device sends.
 * What moves on, the session and the prekeys that are used up, moves on in `draft`, together with what is made of the
 * content.
 */
const decryptBody = async (
  draft: Draft,
  self: SelfRow,
  { peer, body }: { peer: PublicDevice; body: Uint8Array<ArrayBuffer> },
  now: number,
): Promise<Decrypted> => {
  const { account, device } = peer;
  const known = await draft.get('peer', [account, device]);
  try {
    const prekeys = await namedPrekeys(draft, body);
    const result = await decrypt({ me: ownDevice(self), peer, state: known?.state, prekeys, body, now });
    if (result.outcome !== 'message') {
      const { outcome } = result;
      return outcome === 'duplicate' ? { duplicate: true } : { reason: outcome, repair: asksRepair(outcome) };
    }
    const { state, consumed, content, sending } = result;
    const row = { repairs: NO_REPAIRS, renew: false, ...known, account, device, state };
    draft.put('peer', withMissing(row), [account, device]);
    for (const { kind, id } of consumed) draft.remove('prekey', [kind, id]);
    if (content.type !== 'message') return { handed: { key: content.key, context: content.context } };
    const said = read(content.plaintext, account === self.account);
    return 'content' in said ? { ...said, sending } : said;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return { reason: error.code, repair: asksRepair(error.code) };
  }
};

const isFirst = (body: Uint8Array): boolean => {
  try {
    return handshakeOf(body) !== undefined;
  } catch {
    return false;
  }
};

/**
 * Decrypts a batch: what comes from one device in its order, different devices side by side, but for first messages, which
 * use up prekeys and so go one after the other.
 */
export const decryptBatch = (
  draft: Draft,
  self: SelfRow,
  batch: readonly Opened[],
  now: number,
): Promise<(Decrypted | undefined)[]> => {
  const tails = new Map<string, Promise<unknown>>();
  const decryptNext = (opened: Extract<Opened, { peer: PublicDevice }>): Promise<Decrypted> => {
    const { account, device } = opened.peer;
    const lanes = [`${account} ${device}`, ...(isFirst(opened.body) ? [''] : [])];
    const done = Promise.all(lanes.map((lane) => tails.get(lane))).then(() =>
      decryptBody(draft, self, opened, now),
    );
    for (const lane of lanes) tails.set(lane, done);
    return done;
  };
  return Promise.all(
    batch.map((opened) => {
      if ('later' in opened || 'group' in opened) return undefined;
      return 'reason' in opened ? { reason: opened.reason } : decryptNext(opened);
    }),
  );
};
