import { RelayError } from '@sotto/contract/errors';
import type { AccountId, DeviceId } from '@sotto/contract/ids';
import { encode } from '@sotto/crypto/canonical';
import { CryptoError } from '@sotto/crypto/errors';
import { SEALING_ROTATION } from '@sotto/crypto/limits';
import type { Bundle } from '@sotto/crypto/prekeys';
import { NO_REPAIRS } from '@sotto/crypto/repair';
import { seal } from '@sotto/crypto/seal';
import type { Handed } from '@sotto/crypto/group-carrier';
import { encrypt, encryptKey, startSession } from '@sotto/crypto/session';
import { handshakeDue, type PeerState } from '@sotto/crypto/session-state';
import { KIND_SESSION } from '@sotto/crypto/session-body';
import { signerOf } from '../account/signer.ts';
import { ownContent } from '../devices/sync.ts';
import type { Draft } from '../model.ts';
import type { Store, Transport } from '../ports.ts';
import { randomId } from '../random-id.ts';
import type { AccountKeys, DeviceKeys, DeviceTrouble, OutboxRow, PeerRow, SelfRow } from '../rows.ts';
import { ownDevice, publicDevice, toBundle } from '../sessions.ts';

/** What starts sessions with devices, by device id. Nothing of it has been verified. */
export type Bundles = ReadonlyMap<string, Bundle>;

/** Whom a row is for: a contact, or one's own account. */
export interface Recipient extends AccountKeys {
  account: string;
  token?: string;
}

/** A device that had no new sealing key for so long was not there: what is sealed for it would go before it comes back. */
const SEALING_OVERDUE = 2 * SEALING_ROTATION;

/** The devices that a row is still to go to: never this one, and none that the chain does not name. */
export const targetsOf = ({ devices }: AccountKeys, self: SelfRow, row: OutboxRow): DeviceKeys[] =>
  devices.filter(
    ({ device }) =>
      device !== self.device && (row.to ?? device) === device && !(row.done ?? []).includes(device),
  );

/** Whether there is a session that sends, be it due for renewal. */
const canSend = (state: PeerState | undefined, now: number): boolean =>
  [undefined, 'refresh'].includes(handshakeDue(state, now));

/**
 * Asks for what the next message to somebody needs: bundles of the devices without a session that may send.
 *
 * @throws RelayError
 */
export const fetchBundles = async (
  store: Store,
  transport: Transport,
  self: SelfRow,
  recipient: Recipient,
  now: number,
): Promise<Bundles> => {
  const due: DeviceId[] = [];
  let needed = false;
  for (const { device, sealing } of recipient.devices) {
    if (!sealing || device === self.device) continue;
    const row = await store.get('peer', [recipient.account, device]);
    if (!row?.renew && handshakeDue(row?.state, now) === undefined) continue;
    due.push(device as DeviceId);
    needed ||= !canSend(row?.state, now);
  }
  if (due.length === 0) return new Map();
  try {
    const { bundles } = await transport.bundles(signerOf(self), recipient.account as AccountId, due);
    return new Map(bundles.map((bundle) => [bundle.device, toBundle(bundle)]));
  } catch (error) {
    // The sessions that there are can send as long as need be.
    if (error instanceof RelayError && !needed) return new Map();
    throw error;
  }
};

/** Whether there is a session with each device of a recipient, and nothing has to be asked for. */
export const stands = async (
  draft: Pick<Draft, 'get'>,
  self: SelfRow,
  { account, devices }: Recipient,
  now: number,
): Promise<boolean> => {
  for (const { device, sealing } of devices) {
    if (!sealing || device === self.device) continue;
    const row = await draft.get('peer', [account, device]);
    if (row?.renew || handshakeDue(row?.state, now) !== undefined) return false;
  }
  return true;
};

/** What goes to every device of a recipient: bytes, or a key that never is. */
type Sent = { plaintext: Uint8Array } | { handed: Handed };

interface Sender {
  self: SelfRow;
  sent: Sent;
  bundles: Bundles;
  now: number;
}

/** One sealed envelope for a device and the session after it; or why there is none. Nothing is stored. */
const encryptOne = async (
  draft: Draft,
  recipient: Recipient,
  entry: DeviceKeys,
  { self, sent, bundles, now }: Sender,
): Promise<{ peer: PeerRow; body: Uint8Array<ArrayBuffer> } | DeviceTrouble> => {
  const { device, sealing } = entry;
  const { account } = recipient;
  if (now >= sealing!.createdAt + SEALING_OVERDUE) return 'overdue';
  const known = await draft.get('peer', [account, device]);
  let state = known?.state;
  const bundle = bundles.get(device);
  let renewed = false;
  let broken = false;
  if (bundle && (known?.renew || handshakeDue(state, now) !== undefined)) {
    try {
      const peer = publicDevice(account, entry);
      ({ state } = await startSession({ me: ownDevice(self), peer, bundle, state, now }));
      renewed = true;
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      broken = true;
    }
  }
  if (!state || !canSend(state, now)) return broken ? 'keys-invalid' : 'no-prekeys';
  const made =
    'handed' in sent
      ? await encryptKey({ state, ...sent.handed, now })
      : await encrypt({ state, ...sent, now });
  const from = { account: self.account, device: self.device };
  const to = { account, device, sealingKey: sealing! };
  const body = await seal({ from, to, kind: KIND_SESSION, body: made.body });
  const renew = (known?.renew ?? false) && !renewed;
  // What else is known of the device stays: what of it is missing, and what it has been asked for.
  const repairs = known?.repairs ?? NO_REPAIRS;
  return { peer: { ...known, account, device, state: made.state, repairs, renew }, body };
};

/** Whether what a row says has bytes. What has none would be tried for ever. */
export const isWritable = ({ content }: OutboxRow): boolean => {
  try {
    encode(content);
    return true;
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
};

/** The group that lets a row into the inbox of who is no contact. */
const channelOf = ({ hand, content }: OutboxRow): string | undefined => {
  if (hand) return hand.group;
  return content.kind === 'group' || content.kind === 'receipt' ? content.group : undefined;
};

/**
 * One sealed envelope for each device of `targets` that can be reached, under new envelope ids, and what stands in the way
 * of the others. The sessions move on in `draft`: they are stored in the commit that stores the envelopes, before any of
 * them leaves.
 */
export const encryptFor = async (
  draft: Draft,
  self: SelfRow,
  { recipient, bundles, handed }: { recipient: Recipient; bundles: Bundles; handed?: Handed | undefined },
  row: OutboxRow,
  now: number,
): Promise<{
  envelopes: NonNullable<OutboxRow['envelopes']>;
  troubles: ReadonlyMap<string, DeviceTrouble>;
}> => {
  const isOwn = recipient.account === self.account;
  const content = isOwn ? ownContent(self, row.content) : row.content;
  const sent: Sent = handed
    ? { handed }
    : { plaintext: encode({ ...content, heads: { from: self.head!, to: recipient.head! } }) };
  const channel = channelOf(row);
  const envelopes: NonNullable<OutboxRow['envelopes']> = [];
  const troubles = new Map<string, DeviceTrouble>();
  for (const entry of targetsOf(recipient, self, row)) {
    if (!entry.sealing) continue;
    const { device } = entry;
    const made = await encryptOne(draft, recipient, entry, { self, sent, bundles, now });
    if (typeof made === 'string') {
      troubles.set(device, made);
      continue;
    }
    draft.put('peer', made.peer, [recipient.account, device]);
    const token = recipient.token === undefined || isOwn ? {} : { token: recipient.token };
    const pass = { ...token, ...(channel !== undefined && !isOwn && { channel }) };
    envelopes.push({ id: randomId(), device, head: recipient.head!, ...pass, body: made.body });
  }
  return { envelopes, troubles };
};
