import * as z from 'zod/mini';
import { AcceptTime, IncomingEnvelope } from '../envelope.ts';
import { ErrorCode, type Problem } from '../errors.ts';
import { EnvelopeId } from '../ids.ts';

/** One envelope's fate: committed at `at`, or refused by name. */
export const SendResult = z.union([
  z.strictObject({ id: EnvelopeId, at: AcceptTime }),
  z.strictObject({ id: EnvelopeId, code: ErrorCode }),
]);
export type SendResult = z.infer<typeof SendResult>;

export const AcceptedEvent = z.strictObject({ results: z.array(SendResult) });
export type AcceptedEvent = z.infer<typeof AcceptedEvent>;

export const DeliverEvent = z.strictObject({ envelopes: z.array(IncomingEnvelope) });
export type DeliverEvent = z.infer<typeof DeliverEvent>;

export interface RelayEvents {
  accepted: (event: AcceptedEvent) => void;
  deliver: (event: DeliverEvent) => void;
  /** Everything that waited has been handed over; what follows is live. */
  'caught-up': () => void;
  /** An event was refused, or the connection is about to end. */
  problem: (event: Problem) => void;
}
