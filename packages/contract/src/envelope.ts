import * as z from 'zod/mini';
import { bytes } from './bytes.ts';
import { DeviceId, EnvelopeId } from './ids.ts';
import { LIMITS } from './limits.ts';

/** When a relay accepted something: milliseconds since 1970, within what every clock and date can show. */
export const AcceptTime = z.int().check(z.minimum(0), z.maximum(2 ** 50));

const body = bytes({ max: LIMITS.envelopeBytes });

/** What a client hands in: a sealed message for one device. Names no sender. */
export const OutgoingEnvelope = z.strictObject({ id: EnvelopeId, device: DeviceId, body });
export type OutgoingEnvelope = z.infer<typeof OutgoingEnvelope>;

/** What the device gets. */
export const IncomingEnvelope = z.strictObject({
  id: EnvelopeId,
  /** When the relay accepted it: the order on every screen. */
  at: AcceptTime,
  body,
});
export type IncomingEnvelope = z.infer<typeof IncomingEnvelope>;
