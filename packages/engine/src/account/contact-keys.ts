import type { AccountResponse } from '@sotto/contract/rest/accounts';
import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { extendChain, type KnownChain, viewChain } from '@sotto/crypto/chain-view';
import { CryptoError } from '@sotto/crypto/errors';
import { verifySealingKey } from '@sotto/crypto/sealing-key';
import type { ContactRow } from '../rows.ts';

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
  known: Pick<ContactRow, 'chain' | 'devices'>,
  now: number,
): Promise<Pick<ContactRow, 'chain' | 'head' | 'devices' | 'fetchedAt'> & { byRecovery: boolean }> => {
  const events = response.chain.map((event) => fromBase64url(event));
  const { chain, byRecovery } =
    known.chain.length === 0
      ? { chain: await viewChain(events, now), byRecovery: false }
      : await extendChain(await remembered(known.chain), events, now);
  const { state, entries } = chain;
  if (state.account !== expected || response.account !== expected) throw new CryptoError('chain-invalid');
  const sealing = await Promise.all(
    response.devices.map(async ({ device, sealingKey }) => {
      const owner = state.devices.find((candidate) => candidate.device === device);
      if (!owner) throw new CryptoError('chain-invalid');
      const key = {
        id: sealingKey.id,
        createdAt: sealingKey.createdAt,
        publicKey: fromBase64url(sealingKey.publicKey),
        signature: fromBase64url(sealingKey.signature),
      };
      const valid = await verifySealingKey({
        account: expected,
        device,
        signingPublic: owner.signing,
        sealingKey: key,
      });
      if (!valid) throw new CryptoError('bad-signature');
      const before = known.devices.find((candidate) => candidate.device === device)?.sealing;
      // An old one that the relay brings up again is not gone back to.
      const { id, publicKey } = before && before.id > key.id ? before : key;
      return { device, id, publicKey };
    }),
  );
  const devices = state.devices.map(({ device, signing, identity }) => {
    const key = sealing.find((entry) => entry.device === device);
    return { device, signing, identity, ...(key && { sealing: { id: key.id, publicKey: key.publicKey } }) };
  });
  const seen = entries.map(({ event, seenAt }) => ({ event, seenAt }));
  return { chain: seen, head: toBase64url(state.head), devices, fetchedAt: now, byRecovery };
};

/** The chain as it was verified before, with the times at which its events were seen. */
const remembered = async (chain: ContactRow['chain']): Promise<KnownChain> => {
  const { entries, state } = await viewChain(
    chain.map(({ event }) => event),
    0,
  );
  return { state, entries: entries.map((entry, at) => ({ ...entry, seenAt: chain[at]!.seenAt })) };
};
