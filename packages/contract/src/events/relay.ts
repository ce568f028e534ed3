import * as z from 'zod/mini';
import { AcceptTime, IncomingEnvelope, IncomingLive } from '../envelope.ts';
import { ErrorCode, type Problem } from '../problem.ts';
import { EnvelopeId } from '../ids.ts';

/** One envelope's fate: committed at `at`, or refused by name. */
export const SendResult = z.union([
  z.strictObject({ id: EnvelopeId, at: AcceptTime }),
  z.strictObject({
    id: EnvelopeId,
    code: ErrorCode,
    /** Seconds. */
    retryAfter: z.optional(z.int().check(z.minimum(0))),
  }),
]);
export type SendResult = z.infer<typeof SendResult>;

export const AcceptedEvent = z.strictObject({ results: z.array(SendResult) });
export type AcceptedEvent = z.infer<typeof AcceptedEvent>;

export const DeliverEvent = z.strictObject({ envelopes: z.array(IncomingEnvelope) });
export type DeliverEvent = z.infer<typeof DeliverEvent>;

export const IncomingLiveEvent = z.strictObject({ envelopes: z.array(IncomingLive) });
export type IncomingLiveEvent = z.infer<typeof IncomingLiveEvent>;

/** `prekeys-low`: how many one-time prekeys are left of this device; time to publish more. */
export const PrekeysLowEvent = z.strictObject({ oneTime: z.int(), pqOneTime: z.int() });
export type PrekeysLowEvent = z.infer<typeof PrekeysLowEvent>;

export interface RelayEvents {
  accepted: (event: AcceptedEvent) => void;
  deliver: (event: DeliverEvent) => void;
  live: (event: IncomingLiveEvent) => void;
  'prekeys-low': (event: PrekeysLowEvent) => void;
  /** Everything that waited has been handed over; what follows is live. */
  'caught-up': () => void;
  /** An event was refused, or the connection is about to end. */
  problem: (event: Problem) => void;
}
