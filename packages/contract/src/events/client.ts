import * as z from 'zod/mini';
import { LiveEnvelope, LivePost, OutgoingEnvelope, OutgoingPost } from '../envelope.ts';
import { ErrorCode } from '../problem.ts';
import { EnvelopeId } from '../ids.ts';
import { LIMITS } from '../limits.ts';

/** `send`: answered by `accepted` after the COMMIT, in any order with other sends. */
export const SendEvent = z.strictObject({
  envelopes: z.array(OutgoingEnvelope).check(z.minLength(1), z.maxLength(LIMITS.envelopesPerSend)),
});
export type SendEvent = z.infer<typeof SendEvent>;

/** `post`: answered like `send`. */
export const PostEvent = z.strictObject({
  posts: z.array(OutgoingPost).check(z.minLength(1), z.maxLength(LIMITS.postsPerSend)),
});
export type PostEvent = z.infer<typeof PostEvent>;

/** `live`: answered by nothing. */
export const LiveEvent = z.strictObject({
  envelopes: z.array(LiveEnvelope).check(z.maxLength(LIMITS.livePerSend)),
  posts: z.array(LivePost).check(z.maxLength(LIMITS.livePerSend)),
});
export type LiveEvent = z.infer<typeof LiveEvent>;

/** `ack`: stored by this device; the relay forgets their bodies. Unknown ids are ignored. */
export const AckEvent = z.strictObject({
  ids: z.array(EnvelopeId).check(z.minLength(1), z.maxLength(LIMITS.idsPerAck)),
});
export type AckEvent = z.infer<typeof AckEvent>;

/** `renew`: a fresh access token for the connection as it stands. */
export const RenewEvent = z.strictObject({
  token: z.string().check(z.minLength(1), z.maxLength(2048)),
});
export type RenewEvent = z.infer<typeof RenewEvent>;

/** The answer to a question (an event with a callback). */
export const Reply = z.union([
  z.strictObject({ ok: z.literal(true) }),
  z.strictObject({ ok: z.literal(false), code: ErrorCode }),
]);
export type Reply = z.infer<typeof Reply>;

/** What a client puts into Socket.IO's `auth`. */
export const Handshake = z.strictObject({
  token: z.string().check(z.minLength(1), z.maxLength(2048)),
  version: z.int(),
});
export type Handshake = z.infer<typeof Handshake>;

export interface ClientEvents {
  send: (event: SendEvent) => void;
  post: (event: PostEvent) => void;
  live: (event: LiveEvent) => void;
  ack: (event: AckEvent) => void;
  renew: (event: RenewEvent, reply: (answer: Reply) => void) => void;
}
