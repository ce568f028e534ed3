import * as z from 'zod/mini';
import { AccountId, ChainHead, DeliveryHash, DeviceId, Handle, InviteSecret } from '../ids.ts';
import { ChainEvent, EcPrekey, PqPrekey, SealingKey } from '../keys.ts';

/** What proves an e-mail address or a phone number, where the relay demands it. */
export const Verification = z.strictObject({
  /** `request` is what `POST /v1/verifications/email` answered, `code` what stood in the mail. */
  email: z.optional(
    z.strictObject({
      address: z.string().check(z.minLength(3), z.maxLength(254)),
      request: z.string().check(z.minLength(1), z.maxLength(64)),
      code: z.string().check(z.regex(/^\d{6}$/)),
    }),
  ),
  /** A Firebase ID token of a phone sign-in. */
  phone: z.optional(z.strictObject({ token: z.string().check(z.minLength(1), z.maxLength(4096)) })),
});
export type Verification = z.infer<typeof Verification>;

/** `POST /v1/verifications/email`: sends a code. Answered alike whatever becomes of the mail. */
export const EmailCodeRequest = z.strictObject({
  address: z.string().check(z.minLength(3), z.maxLength(254)),
});
/** `request` is shown again with the code; `expiresIn` is milliseconds. */
export const EmailCodeResponse = z.strictObject({ request: z.string(), expiresIn: z.int() });
export type EmailCodeResponse = z.infer<typeof EmailCodeResponse>;

/** `POST /v1/accounts`. Repeating it with the same chain is answered as the first time. */
export const RegisterRequest = z.strictObject({
  /** Absent where the relay lets everybody in, or demands something else. */
  invite: z.optional(InviteSecret),
  verification: z.optional(Verification),
  handle: Handle,
  /** The first event of the chain; the account id follows from it. */
  event: ChainEvent,
  sealingKey: SealingKey,
  /** The first signed prekey and last resort: nobody is ever without. */
  signed: EcPrekey,
  lastResort: PqPrekey,
  /** Of the token that contacts get. */
  delivery: DeliveryHash,
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

/**
 * `POST /v1/account/events`: adds to one's own chain, if it stands at `head`; otherwise `stale-head`. The keys of a device
 * that the event adds come with it, signed by that device. A device that it revokes is removed at once. Repeating it is
 * answered as the first time.
 *
 * `POST /v1/accounts/:account/events`, without sign-in, takes an event that the recovery key signs, after whatever `head`
 * it outranks. What is signed by anybody else, or does not fit, is `unauthenticated`.
 */
export const AppendRequest = z.strictObject({
  head: ChainHead,
  event: ChainEvent,
  device: z.optional(z.strictObject({ sealingKey: SealingKey, signed: EcPrekey, lastResort: PqPrekey })),
});
export type AppendRequest = z.infer<typeof AppendRequest>;

export const AppendResponse = z.strictObject({ head: ChainHead });
export type AppendResponse = z.infer<typeof AppendResponse>;

/**
 * `GET /v1/accounts/:account/chain`, without sign-in: for who has lost all devices and is to sign what comes next.
 * `unauthenticated` where there is no such account, and where it has no recovery key.
 */
export const ChainResponse = z.strictObject({ chain: z.array(ChainEvent) });
export type ChainResponse = z.infer<typeof ChainResponse>;

/** `PUT /v1/account/delivery`: the token of this hash lets into the inbox from now on, and no other. */
export const DeliveryRequest = z.strictObject({ delivery: DeliveryHash });
export type DeliveryRequest = z.infer<typeof DeliveryRequest>;
