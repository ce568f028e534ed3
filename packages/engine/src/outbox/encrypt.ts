import type { Content } from '@sotto/contract/content';
import { RelayError } from '@sotto/contract/errors';
import type { AccountId, DeviceId } from '@sotto/contract/ids';
import { encode } from '@sotto/crypto/canonical';
import { CryptoError } from '@sotto/crypto/errors';
import type { Bundle } from '@sotto/crypto/prekeys';
import { NO_REPAIRS } from '@sotto/crypto/repair';
import { seal } from '@sotto/crypto/seal';
import { encrypt, startSession } from '@sotto/crypto/session';
import { handshakeDue, type PeerState } from '@sotto/crypto/session-state';
import { KIND_SESSION } from '@sotto/crypto/session-body';
import { signerOf } from '../account/signer.ts';
import type { Draft } from '../model.ts';
import type { Store, Transport } from '../ports.ts';
import { randomId } from '../random-id.ts';
import type { ContactRow, OutboxRow, PeerRow, SelfRow } from '../rows.ts';
import { ownDevice, publicDevice, toBundle } from '../sessions.ts';

/** What starts sessions with devices, by device id. Nothing of it has been verified. */
export type Bundles = ReadonlyMap<string, Bundle>;

/**
 * Asks for what the next message to a contact needs: bundles of the devices without a session that may send.
 *
 * @throws RelayError
 */
export const fetchBundles = async (
  store: Store,
  transport: Transport,
  self: SelfRow,
  contact: ContactRow,
  now: number,
): Promise<Bundles> => {
  const due: DeviceId[] = [];
  let needed = false;
  for (const { device, sealing } of contact.devices) {
    const row = sealing && (await store.get('peer', [contact.account, device]));
    if (!sealing || !(row?.renew || handshakeDue(row?.state, now) !== undefined)) continue;
    due.push(device as DeviceId);
    needed ||= !canSend(row?.state, now);
  }
  if (due.length === 0) return new Map();
  try {
    const { bundles } = await transport.bundles(signerOf(self), contact.account as AccountId, due);
    return new Map(bundles.map((bundle) => [bundle.device, toBundle(bundle)]));
  } catch (error) {
    // The sessions that there are can send as long as need be.
    if (error instanceof RelayError && !needed) return new Map();
    throw error;
  }
};

/** Whether there is a session that sends, be it due for renewal. */
const canSend = (state: PeerState | undefined, now: number): boolean =>
  [undefined, 'refresh'].includes(handshakeDue(state, now));

/**
 * One sealed envelope for each device of the contact that can be reached, under new envelope ids. The sessions move on
 * in `draft`: they are stored in the commit that stores the envelopes, before any of them leaves.
 *
 * A device whose bundle does not hold goes without a new session, or without the message where it has none.
 *
 * @throws CryptoError when none is left; the draft is as it was then
 */
export const encryptFor = async (
  draft: Draft,
  self: SelfRow,
  contact: ContactRow,
  content: Content,
  bundles: Bundles,
  now: number,
): Promise<NonNullable<OutboxRow['envelopes']>> => {
  const from = { account: self.account, device: self.device };
  const me = ownDevice(self);
  const plaintext = encode(content);
  let broken: CryptoError | undefined;
  const rows: PeerRow[] = [];
  const envelopes: NonNullable<OutboxRow['envelopes']> = [];
  for (const entry of contact.devices) {
    const { device, sealing } = entry;
    if (!sealing) continue;
    const to = { account: contact.account, device };
    const known = await draft.get('peer', [contact.account, device]);
    let state = known?.state;
    const bundle = bundles.get(device);
    let renewed = false;
    if (bundle && (known?.renew || handshakeDue(state, now) !== undefined)) {
      try {
        const peer = publicDevice(contact.account, entry);
        ({ state } = await startSession({ me, peer, bundle, state, now }));
        renewed = true;
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error;
        broken = error;
      }
    }
    // The relay has no prekeys of it, or none that hold.
    if (!state || !canSend(state, now)) continue;
    const made = await encrypt({ state, plaintext, now });
    const body = await seal({
      from,
      to: { ...to, sealingKey: sealing },
      kind: KIND_SESSION,
      body: made.body,
    });
    const renew = (known?.renew ?? false) && !renewed;
    rows.push({ ...to, state: made.state, repairs: known?.repairs ?? NO_REPAIRS, renew });
    const token = contact.token === undefined ? {} : { token: contact.token };
    envelopes.push({ id: randomId(), device, head: contact.head!, ...token, body });
  }
  if (broken && envelopes.length === 0) throw broken;
  for (const row of rows) draft.put('peer', row, [row.account, row.device]);
  return envelopes;
};
