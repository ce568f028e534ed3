import { toBase64url } from '@sotto/crypto/bytes';
import { setRecoveryKey, verifyChain } from '@sotto/crypto/chain';
import { generateSealingPair, generateSigningKey } from '@sotto/crypto/keys';
import { signerOf } from '@sotto/engine/account/signer';
import type { Store, Transport } from '@sotto/engine/ports';
import type { ChainHead } from '@sotto/contract/ids';

/** Sets a recovery key on an account, and then uses it: what others see when somebody with the code has been at work. */
export const recover = async (
  { store, transport }: { store: Store; transport: Transport },
  origin: string,
): Promise<void> => {
  const self = (await store.get('self', 'self'))!;
  const key = async () => ({
    signing: await generateSigningKey(),
    sealing: (await generateSealingPair()).publicKey,
  });
  const before = await verifyChain(self.chain.map(({ event }) => event));
  const first = await key();
  const set = await setRecoveryKey({ state: before, author: self.signing, createdAt: 0, recovery: first });
  const head = toBase64url(before.head) as ChainHead;
  await transport.append(signerOf(self), { head, event: toBase64url(set.event) });
  const used = await setRecoveryKey({
    state: set.state,
    author: first.signing,
    createdAt: 0,
    recovery: await key(),
  });
  const response = await fetch(`${origin}/v1/accounts/${self.account}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ head: toBase64url(set.state.head), event: toBase64url(used.event) }),
  });
  if (!response.ok) throw new Error(`recovery: ${response.status} ${await response.text()}`);
};
