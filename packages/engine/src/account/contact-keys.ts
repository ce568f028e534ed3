import type { AccountResponse } from '@sotto/contract/rest/accounts';
import { type Bytes, fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { extendChain, viewChain } from '@sotto/crypto/chain-view';
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
  known: readonly Bytes[],
  now: number,
): Promise<Pick<ContactRow, 'chain' | 'head' | 'devices'>> => {
  const events = response.chain.map((event) => fromBase64url(event));
  const view =
    known.length === 0
      ? await viewChain(events, now)
      : (await extendChain(await viewChain(known, now), events, now)).chain;
  const { state } = view;
  if (state.account !== expected || response.account !== expected) throw new CryptoError('chain-invalid');
  const sealing = await Promise.all(
    response.devices.map(async ({ device, sealingKey }) => {
      const known = state.devices.find((candidate) => candidate.device === device);
      if (!known) throw new CryptoError('chain-invalid');
      const key = {
        id: sealingKey.id,
        createdAt: sealingKey.createdAt,
        publicKey: fromBase64url(sealingKey.publicKey),
        signature: fromBase64url(sealingKey.signature),
      };
      const valid = await verifySealingKey({
        account: expected,
        device,
        signingPublic: known.signing,
        sealingKey: key,
      });
      if (!valid) throw new CryptoError('bad-signature');
      return { device, id: key.id, publicKey: key.publicKey };
    }),
  );
  const devices = state.devices.map(({ device, signing, identity }) => {
    const key = sealing.find((entry) => entry.device === device);
    return { device, signing, identity, ...(key && { sealing: { id: key.id, publicKey: key.publicKey } }) };
  });
  return { chain: view.entries.map(({ event }) => event), head: toBase64url(state.head), devices };
};
