import * as z from 'zod/mini';
import { AccountId, DeviceId, Handle, InviteSecret } from '../ids.ts';
import { ChainEvent, EcPrekey, PqPrekey, SealingKey } from '../keys.ts';

/** `POST /v1/accounts`. Repeating it with the same chain is answered as the first time. */
export const RegisterRequest = z.strictObject({
  invite: InviteSecret,
  handle: Handle,
  /** The first event of the chain; the account id follows from it. */
  event: ChainEvent,
  sealingKey: SealingKey,
  /** The first signed prekey and last resort: nobody is ever without. */
  signed: EcPrekey,
  lastResort: PqPrekey,
});
export type RegisterRequest = z.infer<typeof RegisterRequest>;

export const RegisterResponse = z.strictObject({
  account: AccountId,
  device: DeviceId,
  handle: Handle,
});
export type RegisterResponse = z.infer<typeof RegisterResponse>;

/** `GET /v1/accounts/:account` and `GET /v1/handles/:handle`: what is needed to write to somebody. */
export const AccountResponse = z.strictObject({
  account: AccountId,
  handle: Handle,
  chain: z.array(ChainEvent),
  devices: z.array(z.strictObject({ device: DeviceId, sealingKey: SealingKey })),
});
export type AccountResponse = z.infer<typeof AccountResponse>;
