import * as z from 'zod/mini';
import { bytes } from './bytes.ts';
import { DeviceId, EnvelopeId } from './ids.ts';
import { LIMITS } from './limits.ts';

const body = bytes({ max: LIMITS.envelopeBytes });

/** What a client hands in: a sealed message for one device. Names no sender. */
export const OutgoingEnvelope = z.strictObject({ id: EnvelopeId, device: DeviceId, body });
export type OutgoingEnvelope = z.infer<typeof OutgoingEnvelope>;

/** What the device gets. */
export const IncomingEnvelope = z.strictObject({
  id: EnvelopeId,
  /** When the relay accepted it: milliseconds since 1970, the order on every screen. */
  at: z.int(),
  body,
});
export type IncomingEnvelope = z.infer<typeof IncomingEnvelope>;
