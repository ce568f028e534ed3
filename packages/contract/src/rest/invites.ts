import * as z from 'zod/mini';
import { InviteSecret } from '../ids.ts';

/** `PUT /v1/invites/:invite`, where `:invite` is the hash of a secret that only its maker knows. */
export const InviteResponse = z.strictObject({ expiresAt: z.int() });
export type InviteResponse = z.infer<typeof InviteResponse>;

/** `POST /v1/invites/check`: whether a link is worth filling a form for. In the body so that no log holds it. */
export const InviteCheckRequest = z.strictObject({ invite: InviteSecret });
export type InviteCheckRequest = z.infer<typeof InviteCheckRequest>;

export const InviteCheckResponse = z.strictObject({
  state: z.enum(['open', 'used', 'expired', 'unknown']),
});
export type InviteCheckResponse = z.infer<typeof InviteCheckResponse>;
