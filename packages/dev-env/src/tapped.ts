import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { Transport } from '@sotto/engine/ports';

/** A transport that shows what is delivered; what is answered instead of it is delivered in its place. */
export const tapped =
  (tap: (envelope: IncomingEnvelope) => IncomingEnvelope[] | void) =>
  (transport: Transport): Transport => ({
    ...transport,
    connect: (signer, listener) =>
      transport.connect(signer, {
        ...listener,
        connected: (...args) => listener.connected(...args),
        deliver: (envelopes) =>
          listener.deliver(envelopes.flatMap((envelope) => tap(envelope) ?? [envelope])),
      }),
  });
