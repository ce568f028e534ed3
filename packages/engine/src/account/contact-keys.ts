import type { AccountResponse } from '@sotto/contract/rest/accounts';
import { equal, fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { parseEvent } from '@sotto/crypto/chain-event';
import type { ChainState } from '@sotto/crypto/chain-rules';
import { extendChain, type KnownChain, viewChain } from '@sotto/crypto/chain-view';
import { CryptoError } from '@sotto/crypto/errors';
import { verifySealingKey } from '@sotto/crypto/sealing-key';
import type { AccountKeys, DeviceKeys } from '../rows.ts';

type Named = AccountResponse['devices'][number];

/** The sealing key that the relay names, if the device signed it. An old one that it brings up again is not gone back to. */
const sealingOf = async (
  account: string,
  { device, sealingKey }: Named,
  state: ChainState,
  known: readonly DeviceKeys[],
): Promise<readonly [string, NonNullable<DeviceKeys['sealing']>]> => {
  const owner = state.devices.find((candidate) => candidate.device === device);
  if (!owner) throw new CryptoError('chain-invalid');
  const { id, createdAt } = sealingKey;
  const publicKey = fromBase64url(sealingKey.publicKey);
  const signature = fromBase64url(sealingKey.signature);
  const signed = { account, device, signingPublic: owner.signing };
  const valid = await verifySealingKey({ ...signed, sealingKey: { id, createdAt, publicKey, signature } });
  if (!valid) throw new CryptoError('bad-signature');
  const before = known.find((candidate) => candidate.device === device)?.sealing;
  return [device, before && before.id > id ? before : { id, createdAt, publicKey }];
};

/** When the event that added the device of a signing key was first seen; 0 for the first. */
const sinceOf = (signing: Uint8Array, entries: KnownChain['entries']): number => {
  const at = entries.findIndex(({ event }) => {
    const { body } = parseEvent(event);
    return 'identity' in body && equal(body.signing, signing);
  });
  return at === 0 ? 0 : entries[at]!.seenAt;
};

/** The chain as it was verified before, with the times at which its events were seen. */
export const remembered = async (chain: AccountKeys['chain']): Promise<KnownChain> => {
  const { entries, state } = await viewChain(
    chain.map(({ event }) => event),
    0,
  );
  return { state, entries: entries.map((entry, at) => ({ ...entry, seenAt: chain[at]!.seenAt })) };
};

/**
 * Checks what the relay says of an account against the account itself: the chain must lead to the account id, and
 * every device that the relay names must stand on it with a sealing key that it signed. Devices of the chain that the
 * relay does not name are kept without one: what they wrote can be verified, and nothing is sent to them. A chain that is
 * known already must go on in the new one.
 *
 * @throws CryptoError when the relay's answer does not hold
 */
export const verifyAccount = async (
  response: AccountResponse,
  expected: string,
  known: AccountKeys,
  now: number,
): Promise<AccountKeys> => {
  const events = response.chain.map((event) => fromBase64url(event));
  const { chain, byRecovery } =
    known.chain.length === 0
      ? { chain: await viewChain(events, now), byRecovery: false }
      : await extendChain(await remembered(known.chain), events, now);
  const { state, entries } = chain;
  // An answer without events would leave a known chain as it is.
  if (events.length === 0 || state.account !== expected || response.account !== expected)
    throw new CryptoError('chain-invalid');
  const sealing = new Map(
    await Promise.all(response.devices.map((named) => sealingOf(expected, named, state, known.devices))),
  );
  const devices = state.devices.map(({ device, signing, identity }): DeviceKeys => {
    const key = sealing.get(device);
    const since = sinceOf(signing, entries);
    return { device, signing, identity, since, ...(key && { sealing: key }) };
  });
  const changed = byRecovery ? 'recovered' : known.changed;
  return {
    chain: entries.map(({ event, seenAt }) => ({ event, seenAt })),
    head: toBase64url(state.head),
    devices,
    revoked: state.revoked.map(({ device }) => device),
    fetchedAt: now,
    ...(changed && { changed }),
  };
};
