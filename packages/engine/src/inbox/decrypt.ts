import { Content } from '@sotto/contract/content';
import type { IncomingEnvelope } from '@sotto/contract/envelope';
import { RelayError } from '@sotto/contract/errors';
import { MessageId } from '@sotto/contract/ids';
import { decode } from '@sotto/crypto/canonical';
import { CryptoError } from '@sotto/crypto/errors';
import type { NamedPrekeys, PublicDevice } from '@sotto/crypto/handshake';
import type { OwnPrekey } from '@sotto/crypto/prekeys';
import { asksRepair, NO_REPAIRS } from '@sotto/crypto/repair';
import { open } from '@sotto/crypto/seal';
import { decrypt } from '@sotto/crypto/session';
import { handshakeOf, KIND_SESSION } from '@sotto/crypto/session-body';
import type { Directory } from '../account/directory.ts';
import type { Draft, Model } from '../model.ts';
import type { ContactRow, SelfRow } from '../rows.ts';
import { ownDevice, publicDevice } from '../sessions.ts';

/** The kinds of content that this version acts on; all others are kept for one that does. */
const KNOWN: readonly string[] = ['text', 'receipt', 'profile', 'repair'];
export type Known = Extract<Content, { kind: 'text' | 'receipt' | 'profile' | 'repair' }>;
/** A text that is to go by itself is not kept by a version that would let it stay. */
const isKnown = (content: Content): content is Known =>
  KNOWN.includes(content.kind) && !('timer' in content && content.timer !== undefined);

/** Something for a later version: its own id, where it has one, and all of it. */
export interface Newer {
  id: string | undefined;
  bytes: Uint8Array<ArrayBuffer>;
}

const LIVE: readonly string[] = ['typing', 'presence'];
const KINDS: readonly string[] = Content.def.options.flatMap(({ def }) => def.shape.kind.def.values);

/** Well-formed by this version's schema, or of a kind that it does not have. Live signals do not come this way. */
const isNewer = (value: unknown, content: Content | undefined): boolean => {
  const { kind } = (value ?? {}) as { kind?: unknown };
  if (typeof kind !== 'string' || LIVE.includes(kind)) return false;
  return content !== undefined || !KINDS.includes(kind);
};

/** What became of an envelope once its seal was opened. */
export type Opened = { envelope: IncomingEnvelope } & (
  | { peer: PublicDevice; body: Uint8Array<ArrayBuffer> }
  | { reason: string }
  /** Nothing can be said of it yet: the keys of whom it claims to be from cannot be had now. */
  | { later: true }
);

/** The device that a message claims to come from, asking the relay once when it is not known here. */
const findDevice = async (
  model: Model,
  directory: Directory,
  from: { account: string; device: string },
): Promise<PublicDevice | undefined> => {
  const match = (contact: ContactRow | undefined) =>
    contact?.devices.find(({ device }) => device === from.device);
  const device = match(model.contacts.get(from.account)) ?? match(await directory.refresh(from.account));
  return device && publicDevice(from.account, device);
};

/**
 * Opens the seal of one envelope and finds out whose keys to check it with. `out` holds accounts that could not be
 * asked for, and gets more.
 */
export const openEnvelope = async (
  self: SelfRow,
  model: Model,
  directory: Directory,
  envelope: IncomingEnvelope,
  out: Set<string>,
): Promise<Opened> => {
  // Groups are not there yet.
  if (envelope.channel !== undefined) return { envelope, reason: 'unknown-channel' };
  let claimed = '';
  const me = { account: self.account, device: self.device };
  try {
    const { from, kind, body } = await open({ me, sealingKeys: self.sealing, envelope: envelope.body });
    if (kind !== KIND_SESSION) return { envelope, reason: 'unknown-kind' };
    claimed = from.account;
    if (out.has(claimed)) return { envelope, later: true };
    if (from.account === self.account) return { envelope, reason: 'from-self' };
    const peer = await findDevice(model, directory, from);
    return peer ? { envelope, peer, body } : { envelope, reason: 'device-unknown' };
  } catch (error) {
    if (error instanceof CryptoError) return { envelope, reason: error.code };
    if (error instanceof RelayError && error.code === 'account-unknown')
      return { envelope, reason: error.code };
    if (!(error instanceof RelayError)) throw error;
    out.add(claimed);
    return { envelope, later: true };
  }
};

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

/**
 * Decrypts in the session with the sender's device; `sending` tells whether that is the one in which this device sends. What moves on, the session and the prekeys that are used up, moves
 * on in `draft`, together with what is made of the content.
 */
export const decryptBody = async (
  draft: Draft,
  self: SelfRow,
  { peer, body }: { peer: PublicDevice; body: Uint8Array<ArrayBuffer> },
  now: number,
): Promise<
  | { content: Known; sending: boolean }
  /** Well-formed, and of a kind that this version does not act on. */
  | { newer: Newer }
  | { reason: string; repair?: boolean }
  | { duplicate: true }
> => {
  const { account, device } = peer;
  const known = await draft.get('peer', [account, device]);
  let plaintext: Uint8Array;
  let sending: boolean;
  try {
    const prekeys = await namedPrekeys(draft, body);
    const result = await decrypt({ me: ownDevice(self), peer, state: known?.state, prekeys, body, now });
    if (result.outcome !== 'message') {
      return result.outcome === 'duplicate'
        ? { duplicate: true }
        : { reason: result.outcome, repair: asksRepair(result.outcome) };
    }
    const row = { repairs: NO_REPAIRS, renew: false, ...known, account, device, state: result.state };
    draft.put('peer', row, [account, device]);
    for (const { kind, id } of result.consumed) draft.remove('prekey', [kind, id]);
    if (result.content.type !== 'message') return { reason: 'unknown-content' };
    ({ plaintext } = result.content);
    ({ sending } = result);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return { reason: error.code, repair: asksRepair(error.code) };
  }
  try {
    const value = decode(plaintext);
    const content = Content.safeParse(value).data;
    if (content && isKnown(content)) return { content, sending };
    return isNewer(value, content)
      ? {
          newer: {
            id: MessageId.safeParse((value as { id?: unknown }).id).data,
            bytes: new Uint8Array(plaintext),
          },
        }
      : { reason: 'unknown-content' };
  } catch (error) {
    if (error instanceof CryptoError) return { reason: error.code };
    throw error;
  }
};
