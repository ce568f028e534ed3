import type { AppendRequest } from '@sotto/contract/rest/accounts';
import type { ChainHead } from '@sotto/contract/ids';
import { equal, fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { acceptDevice, proposeDevice } from '@sotto/crypto/chain';
import type { ChainState } from '@sotto/crypto/chain-rules';
import { extendChain, viewChain } from '@sotto/crypto/chain-view';
import { CryptoError } from '@sotto/crypto/errors';
import { deviceId, generateAgreementKey, generateSigningKey, type KeyPair } from '@sotto/crypto/keys';
import { createSealingKey } from '@sotto/crypto/sealing-key';
import { remembered } from '../account/contact-keys.ts';
import { newPrekeys, wirePrekey } from '../account/prekeys.ts';
import { wireSealingKey } from '../account/sealing.ts';
import { dayOf } from '../clock.ts';
import type { DeviceKeys, PrekeyRow, SelfRow } from '../rows.ts';
import type { DeviceAcceptance, DeviceOffer, DeviceProposal } from '../views.ts';

const NO_PREKEYS = { signed: 0, 'one-time': 0, 'pq-last-resort': 0, 'pq-one-time': 0 };

/** The keys of a device that is to be added: they stay here. */
export interface OfferedKeys {
  signing: KeyPair;
  identity: KeyPair;
}

export const newDeviceKeys = async (): Promise<OfferedKeys> => {
  const [signing, identity] = await Promise.all([generateSigningKey(), generateAgreementKey()]);
  return { signing, identity };
};

export const offerOf = ({ signing, identity }: OfferedKeys): DeviceOffer => ({
  signing: toBase64url(signing.publicKey),
  identity: toBase64url(identity.publicKey),
});

/** On a device of the account: its half of the event that adds another. @throws CryptoError */
export const propose = async (self: SelfRow, offer: DeviceOffer, now: number): Promise<DeviceProposal> => {
  const { state } = await remembered(self.chain);
  const device = { signing: fromBase64url(offer.signing), identity: fromBase64url(offer.identity) };
  const proposal = await proposeDevice({ state, author: self.signing, createdAt: dayOf(now), device });
  return {
    account: self.account,
    handle: self.handle,
    name: self.name,
    chain: self.chain.map(({ event }) => toBase64url(event)),
    proposal: toBase64url(proposal),
  };
};

/** Until the relay says more of them. */
const keysOf = ({ devices }: ChainState, since: number): DeviceKeys[] =>
  devices.map(({ device, signing, identity }) => ({ device, signing, identity, since }));

/** On the new device: signs the event and makes what others need to write to it. @throws CryptoError */
export const accept = async (
  keys: OfferedKeys,
  { account, handle, name, chain, proposal }: DeviceProposal,
  now: number,
): Promise<{ self: SelfRow; prekeys: PrekeyRow[]; acceptance: DeviceAcceptance }> => {
  const known = await viewChain(
    chain.map((event) => fromBase64url(event)),
    now,
  );
  if (known.state.account !== account) throw new CryptoError('chain-invalid', 'another account');
  const { event } = await acceptDevice({ state: known.state, proposal: fromBase64url(proposal), ...keys });
  const { chain: whole } = await extendChain(known, [event], now);
  const device = await deviceId(keys.signing.publicKey);
  const createdAt = dayOf(now);
  const made = await createSealingKey({
    account,
    device,
    signing: keys.signing.privateKey,
    id: 1,
    createdAt,
  });
  const sealing = { ...made, publishedAt: now };
  const owner = { account, device, signing: keys.signing, prekeyIds: NO_PREKEYS };
  const prekeys = [
    ...(await newPrekeys(owner, 'signed', 1, now)),
    ...(await newPrekeys(owner, 'pq-last-resort', 1, now)),
  ].map((row) => ({ ...row, published: true }));
  const self: SelfRow = {
    key: 'self',
    account,
    device,
    handle,
    name,
    createdAt: now,
    chain: whole.entries.map((entry) => ({ event: entry.event, seenAt: entry.seenAt })),
    head: toBase64url(whole.state.head),
    devices: keysOf(whole.state, now),
    ...keys,
    sealing: [sealing],
    delivery: '',
    prekeyIds: { ...NO_PREKEYS, signed: 1, 'pq-last-resort': 1 },
    joining: true,
  };
  const published = {
    sealingKey: wireSealingKey(sealing),
    signed: wirePrekey(prekeys[0]!),
    lastResort: wirePrekey(prekeys[1]!),
  };
  return { self, prekeys, acceptance: { event: toBase64url(event), device: published } };
};

/** Which device an accepted event adds to one's own chain, and the request that says so. @throws CryptoError */
export const appending = async (
  self: SelfRow,
  { event, device }: DeviceAcceptance,
  now: number,
): Promise<{ added: string; request: AppendRequest }> => {
  const known = await remembered(self.chain);
  const bytes = fromBase64url(event);
  const { chain } = await extendChain(known, [bytes], now);
  const head = toBase64url(known.state.head) as ChainHead;
  const added = chain.state.devices.at(-1);
  const isNew = added && !known.state.devices.some(({ signing }) => equal(signing, added.signing));
  if (!isNew) throw new CryptoError('chain-invalid', 'no device');
  return { added: added.device, request: { head, event, device } };
};
