import { Content } from '@sotto/contract/content';
import type { IncomingEnvelope } from '@sotto/contract/envelope';
import { RelayError } from '@sotto/contract/errors';
import { decode } from '@sotto/crypto/canonical';
import { CryptoError } from '@sotto/crypto/errors';
import { open } from '@sotto/crypto/seal';
import { KIND_SIGNED, verifyBody } from '@sotto/crypto/signed';
import type { Directory } from '../account/directory.ts';
import type { Model } from '../model.ts';
import type { ContactRow, SelfRow } from '../rows.ts';

/** What became of an envelope: something to take in, or the reason why it is set aside. */
export type Opened = { envelope: IncomingEnvelope } & (
  | { from: { account: string; device: string }; content: Content }
  | { reason: string }
  /** Nothing can be said of it yet: the keys of whom it claims to be from cannot be had now. */
  | { later: true }
);

type Device = ContactRow['devices'][number];

/** The device that a message claims to come from, asking the relay once when it is not known here. */
const findDevice = async (
  model: Model,
  directory: Directory,
  from: { account: string; device: string },
): Promise<Device | undefined> => {
  const match = (contact: ContactRow | undefined) =>
    contact?.devices.find(({ device }) => device === from.device);
  return match(model.contacts.get(from.account)) ?? match(await directory.refresh(from.account));
};

/** Opens one envelope and checks who wrote it. `out` holds accounts that could not be asked for, and gets more. */
export const decrypt = async (
  self: SelfRow,
  model: Model,
  directory: Directory,
  envelope: IncomingEnvelope,
  out: Set<string>,
): Promise<Opened> => {
  let claimed = '';
  const me = { account: self.account, device: self.device };
  try {
    const { from, kind, body } = await open({ me, sealingKeys: self.sealing, envelope: envelope.body });
    if (kind !== KIND_SIGNED) return { envelope, reason: 'unknown-kind' };
    claimed = from.account;
    if (out.has(claimed)) return { envelope, later: true };
    if (from.account === self.account) return { envelope, reason: 'from-self' };
    const device = await findDevice(model, directory, from);
    if (!device) return { envelope, reason: 'device-unknown' };
    const plaintext = await verifyBody({ from, to: me, signingPublic: device.signing, body });
    const content = Content.safeParse(decode(plaintext));
    return content.success
      ? { envelope, from, content: content.data }
      : { envelope, reason: 'unknown-content' };
  } catch (error) {
    if (error instanceof CryptoError) return { envelope, reason: error.code };
    if (error instanceof RelayError && error.code === 'account-unknown')
      return { envelope, reason: error.code };
    if (!(error instanceof RelayError)) throw error;
    out.add(claimed);
    return { envelope, later: true };
  }
};
