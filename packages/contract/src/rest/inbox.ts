import * as z from 'zod/mini';
import { IncomingEnvelopeJson, OutgoingEnvelopeJson, OutgoingPostJson } from '../envelope.ts';
import { SendResult } from '../events/relay.ts';
import { LIMITS } from '../limits.ts';

/** `POST /v1/envelopes`: as `send` and `post` in one. */
export const SendRequest = z.strictObject({
  envelopes: z.array(OutgoingEnvelopeJson).check(z.maxLength(LIMITS.envelopesPerSend)),
  posts: z.array(OutgoingPostJson).check(z.maxLength(LIMITS.postsPerSend)),
});
export type SendRequest = z.infer<typeof SendRequest>;

export const SendResponse = z.strictObject({ results: z.array(SendResult) });
export type SendResponse = z.infer<typeof SendResponse>;

/** `GET /v1/inbox`: the first that wait, oldest first. What has been stored is acknowledged; then the next come. */
export const InboxResponse = z.strictObject({
  envelopes: z.array(IncomingEnvelopeJson),
  /** More wait than are here. */
  more: z.boolean(),
});
export type InboxResponse = z.infer<typeof InboxResponse>;

/** `POST /v1/inbox/acks` takes an `AckEvent` and answers 204. */
export { AckEvent as AckRequest } from '../events/client.ts';
