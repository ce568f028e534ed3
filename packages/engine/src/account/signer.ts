import type { DeviceId } from '@sotto/contract/ids';
import { toBase64url } from '@sotto/crypto/bytes';
import { signSignIn } from '@sotto/crypto/sign-in';
import type { Signer } from '../ports.ts';
import type { SelfRow } from '../rows.ts';

/** Signs this device in with its signing key, which never leaves the platform's key store. */
export const signerOf = (self: SelfRow): Signer => ({
  device: self.device as DeviceId,
  sign: async ({ challenge, origin }) =>
    toBase64url(await signSignIn(self.signing.privateKey, { origin, device: self.device, challenge })),
});
