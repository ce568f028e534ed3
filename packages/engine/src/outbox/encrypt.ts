import { encode } from '@sotto/crypto/canonical';
import { seal } from '@sotto/crypto/seal';
import { KIND_SIGNED, signBody } from '@sotto/crypto/signed';
import type { Content } from '@sotto/contract/content';
import { randomId } from '../random-id.ts';
import type { ContactRow, OutboxRow, SelfRow } from '../rows.ts';

/** One sealed envelope for each device of the contact that has a sealing key, under new envelope ids. */
export const encryptFor = async (
  self: SelfRow,
  contact: ContactRow,
  content: Content,
): Promise<NonNullable<OutboxRow['envelopes']>> => {
  const from = { account: self.account, device: self.device };
  const plaintext = encode(content);
  const reachable = contact.devices.flatMap(({ device, sealing }) => (sealing ? [{ device, sealing }] : []));
  return Promise.all(
    reachable.map(async ({ device, sealing }) => {
      const to = { account: contact.account, device };
      const body = await signBody({ from, to, signing: self.signing.privateKey, content: plaintext });
      const envelope = await seal({ from, to: { ...to, sealingKey: sealing }, kind: KIND_SIGNED, body });
      return { id: randomId(), device, body: envelope };
    }),
  );
};
